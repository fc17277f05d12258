"""Real shells that complete a command line: what a person would be offered who types it."""

import os
import pathlib
import pty
import select
import shlex
import shutil
import signal
import subprocess
import time

import support

PROGRAM = pathlib.Path(support.PROGRAM).resolve()
SHARE = PROGRAM.parent / "share"
ENVIRONMENT = {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
INSTALLED = {"XDG_DATA_DIRS": f"{SHARE}:/usr/local/share:/usr/share"}
PROMPT = b"READY> "
DEADLINE = 60  # seconds; a bound for a shell that hangs


class Terminal:
    """An interactive shell in a pseudo-terminal of its own."""

    def __init__(self, command, folder, environment):
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, {**os.environ, **ENVIRONMENT, "TERM": "dumb", **environment})
        self.unread = b""
        self.wait_for(PROMPT)

    def wait_for(self, token):
        """What was printed up to the token."""
        deadline = time.monotonic() + DEADLINE
        while token not in self.unread:
            if not select.select([self.descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"{token!r} was not printed, but {self.unread!r}")
            self.unread += os.read(self.descriptor, 65536)
        text, self.unread = self.unread.split(token, 1)
        return text.decode(errors="replace")

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def close(self):
        if self.pid is None:
            return
        os.close(self.descriptor)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.pid = None


class Shell:
    @classmethod
    def missing(cls):
        """Why it cannot be tested here; None if it can."""
        return None if shutil.which(cls.NAME) else f"{cls.NAME} is not installed"


def attached_flag(word):
    """"--size=" of "--size=sm", else nothing: shells differ in whether they repeat it in a candidate."""
    return word[:word.find("=") + 1] if word.startswith("--") else ""


def without(flag, words):
    return [word[len(flag):] if word.startswith(flag) else word for word in words]


class LineEditor(Shell):
    """bash or zsh. A key that puts all completions into the line hands them to a function named dinoft, which writes its
    arguments to a file, each ended by a zero."""

    KEY = "\x18a"  # Ctrl-X a
    FUNCTION = "dinoft() { printf '%s\\0' \"$@\" > \"$RESULT\"; }\n"

    def __init__(self, folder, work, lines, environment):
        self.result = folder / "result"
        start = folder / self.START
        start.write_text(f"PS1='{PROMPT.decode()}'\n{lines}\n{self.SETTINGS}{self.FUNCTION}")
        self.terminal = Terminal(self.command(start), work,
                                 {"HOME": str(folder), "RESULT": str(self.result), **environment})

    def complete(self, line):
        """The candidates for the last word of the line."""
        self.terminal.type(line + self.KEY + "\n")
        self.terminal.wait_for(PROMPT)
        words = self.result.read_text().split("\0")[:-1]
        self.result.unlink()
        typed = shlex.split(line + ("''" if line.endswith(" ") else ""))[1:]
        flag = attached_flag(typed[-1])
        found = without(flag, words[len(typed) - 1:])
        return [] if found == without(flag, typed[-1:]) else found

    def close(self):
        self.terminal.close()


class Bash(LineEditor):
    NAME = "bash"
    START = "bashrc"
    SETTINGS = "bind 'set bell-style none'\nbind '\"\\C-xa\": insert-completions'\n"
    SOURCED = f'source <("{PROGRAM}" --completion bash)'

    def command(self, start):
        return ["bash", "--noprofile", "--rcfile", str(start), "-i"]


class Zsh(LineEditor):
    NAME = "zsh"
    START = ".zshrc"
    # _all_matches, with "insert", completes to all candidates at once.
    SETTINGS = """
zle -C all-candidates complete-word _generic
bindkey '^Xa' all-candidates
bindkey '^Xl' list-choices
zstyle ':completion:all-candidates:*' completer _all_matches _complete
zstyle ':completion:all-candidates:all-matches:*' insert true
LISTMAX=1000
"""
    LOAD = "autoload -Uz compinit\ncompinit -u -D\n"
    SOURCED = f'{LOAD}source <("{PROGRAM}" --completion zsh)'
    INSTALLED = f'fpath=("{SHARE}/zsh/site-functions" $fpath)\n{LOAD}'

    def __init__(self, folder, work, lines, environment):
        super().__init__(folder, work, lines, {"ZDOTDIR": str(folder), **environment})

    def command(self, start):
        return ["zsh", "--no-globalrcs", "-i"]

    def describe(self, line, last):
        """The list that is shown, up to the text `last`."""
        self.terminal.type(f"{line}\x18l")
        text = self.terminal.wait_for(last.encode()) + last
        self.terminal.type("\x15\n")  # Ctrl-U
        self.terminal.wait_for(PROMPT)
        return text


class Fish(Shell):
    """fish says what it would offer: it is given lines, each ended by a bar since blanks at the end count."""

    NAME = "fish"
    SOURCED = f'"{PROGRAM}" --completion fish | source'
    LOOP = r"""
while read -l line
    complete -C (string replace -r '\|$' '' -- $line)
    echo end of list
end
"""

    def __init__(self, folder, work, lines, environment):
        environment = {**os.environ, **ENVIRONMENT, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), **environment}
        self.process = subprocess.Popen(["fish", "-c", lines + self.LOOP], cwd=work, env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def candidates(self, line):
        """Each candidate, with its description behind a tab."""
        self.process.stdin.write(f"{line}|\n")
        self.process.stdin.flush()
        found = []
        for text in self.process.stdout:
            if text == "end of list\n":
                return found
            found.append(text.rstrip("\n"))
        raise EOFError(f"fish ended at {line!r}")

    def describe(self, line, _):
        return "\n".join(self.candidates(line)).replace("\t", " -- ")

    def complete(self, line):
        words = [text.split("\t")[0] for text in self.candidates(line)]
        return without(attached_flag(line.split(" ")[-1]), words)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=DEADLINE)
        self.process.stdout.close()
