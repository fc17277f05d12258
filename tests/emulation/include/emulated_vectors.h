/* CUDA's built-in vector types. */
#ifndef EMULATED_VECTORS_H
#define EMULATED_VECTORS_H

struct uint3 {
    unsigned x, y, z;
};

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_)
    {
    }
};

/* A vector is read or written as a whole, and has to lie at a multiple of its size. That is told here because
 * the compiler may take copies apart. */
void df_emulated_vector(unsigned long address, unsigned long bytes);

#define EMULATED_VECTORS(type, name, align2, align4)                                                         \
    struct alignas(align2) name##2                                                                           \
    {                                                                                                        \
        type x, y;                                                                                           \
        name##2() = default;                                                                                 \
        name##2(type x_, type y_) : x(x_), y(y_)                                                             \
        {                                                                                                    \
        }                                                                                                    \
        name##2(const name##2 & other)                                                                       \
        {                                                                                                    \
            df_emulated_vector((unsigned long)&other, align2);                                               \
            x = other.x;                                                                                     \
            y = other.y;                                                                                     \
        }                                                                                                    \
        name##2 &operator=(const name##2 & other)                                                            \
        {                                                                                                    \
            df_emulated_vector((unsigned long)this, align2);                                                 \
            df_emulated_vector((unsigned long)&other, align2);                                               \
            x = other.x;                                                                                     \
            y = other.y;                                                                                     \
            return *this;                                                                                    \
        }                                                                                                    \
    };                                                                                                       \
    struct alignas(align4) name##4                                                                           \
    {                                                                                                        \
        type x, y, z, w;                                                                                     \
        name##4() = default;                                                                                 \
        name##4(type x_, type y_, type z_, type w_) : x(x_), y(y_), z(z_), w(w_)                             \
        {                                                                                                    \
        }                                                                                                    \
        name##4(const name##4 & other)                                                                       \
        {                                                                                                    \
            df_emulated_vector((unsigned long)&other, align4);                                               \
            x = other.x;                                                                                     \
            y = other.y;                                                                                     \
            z = other.z;                                                                                     \
            w = other.w;                                                                                     \
        }                                                                                                    \
        name##4 &operator=(const name##4 & other)                                                            \
        {                                                                                                    \
            df_emulated_vector((unsigned long)this, align4);                                                 \
            df_emulated_vector((unsigned long)&other, align4);                                               \
            x = other.x;                                                                                     \
            y = other.y;                                                                                     \
            z = other.z;                                                                                     \
            w = other.w;                                                                                     \
            return *this;                                                                                    \
        }                                                                                                    \
    };                                                                                                       \
    inline name##2 make_##name##2(type x, type y)                                                            \
    {                                                                                                        \
        return name##2 {x, y};                                                                               \
    }                                                                                                        \
    inline name##4 make_##name##4(type x, type y, type z, type w)                                            \
    {                                                                                                        \
        return name##4 {x, y, z, w};                                                                         \
    }
EMULATED_VECTORS(signed char, char, 2, 4)
EMULATED_VECTORS(unsigned char, uchar, 2, 4)
EMULATED_VECTORS(short, short, 4, 8)
EMULATED_VECTORS(unsigned short, ushort, 4, 8)
EMULATED_VECTORS(int, int, 8, 16)
EMULATED_VECTORS(unsigned, uint, 8, 16)
EMULATED_VECTORS(float, float, 8, 16)
#undef EMULATED_VECTORS

struct float3 {
    float x, y, z;
};

inline float3 make_float3(float x, float y, float z)
{
    return float3{x, y, z};
}

struct int3 {
    int x, y, z;
};

inline int3 make_int3(int x, int y, int z)
{
    return int3{x, y, z};
}

struct alignas(16) double2 {
    double x, y;
};

inline double2 make_double2(double x, double y)
{
    return double2{x, y};
}

#endif
