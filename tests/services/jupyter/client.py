"""Front ends of Jupyter against the kernel: client.py CHECK [ARGUMENT…], or client.py ready.

The kernel is found by JUPYTER_PATH. A check that fails says why and ends with 1.
"""
import json
import os
import queue
import signal
import subprocess
import sys
import time
import unittest

import nbformat
from jupyter_client import BlockingKernelClient, KernelManager
from nbclient import NotebookClient

# The longest that anything may take on a slow machine.
PATIENCE = 120


class Kernel:
    """A running kernel with a client."""

    def __init__(self):
        self.manager = KernelManager(kernel_name="stellar")
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=True)

    def reply(self, message_id):
        while True:
            message = self.client.get_shell_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == message_id:
                return message["content"]

    def outputs(self, message_id):
        found = []
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") != message_id:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status":
                if content["execution_state"] == "idle":
                    return found
            elif kind != "execute_input":
                found.append((kind, content))

    def run(self, code, **options):
        options.setdefault("allow_stdin", False)
        message_id = self.client.execute(code, **options)
        outputs = self.outputs(message_id)
        return self.reply(message_id), outputs

    def text(self, code):
        """The plain text of the result."""
        reply, outputs = self.run(code)
        assert reply["status"] == "ok", reply
        results = [content for kind, content in outputs if kind == "execute_result"]
        assert len(results) == 1, outputs
        return results[0]["data"]["text/plain"]


def equal(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def check_protocol():
    """jupyter_kernel_test, as far as it applies."""
    import jupyter_kernel_test

    class Protocol(jupyter_kernel_test.KernelTests):
        kernel_name = "stellar"
        language_name = "stellar"
        file_extension = ".stellar"
        code_stderr = "8 / 2 * 4"
        completion_samples = [
            {"text": "TO_UPP", "matches": {"TO_UPPER"}},
            {"text": "%%pr", "matches": {"%%profile"}},
        ]
        complete_code_samples = ["1 + 2", "x := 3", "# a comment", "%vars"]
        incomplete_code_samples = ["TO_UPPER(", "[1,", "%%map logs.jsonl"]
        code_execute_result = [
            {"code": "1 + 2", "result": "3"},
            {"code": "x := 4\nx * 2", "result": "8"},
            {"code": "def DOUBLE(a) := a * 2\nDOUBLE(21)", "result": "42"},
        ]
        code_display_data = [
            {"code": "?TO_UPPER", "mime": "text/html"},
            {"code": "%plot [1, 3, 2]", "mime": "image/svg+xml"},
        ]
        code_generate_error = "NO_SUCH_FUNCTION(1)"
        code_inspect_sample = "TO_UPPER"
        supported_history_operations = ("tail", "range", "search")
        code_history_pattern = "1 ? 2*"

    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Protocol)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    assert result.wasSuccessful()
    assert result.testsRun - len(result.skipped) >= 9, "too much was left out"


def check_cells():
    with Kernel() as kernel:
        equal(kernel.text("1 + 2"), "3")
        # Several statements: the last value is the result, and variables live on.
        equal(kernel.text("x := 2\n# twice\ny := x * 2\nx + y"), "6")
        equal(kernel.text("y"), "4")
        # Null shows nothing, nor does a cell without statements.
        for code in ["null", "", "# a comment", "def F(a) := a"]:
            equal(kernel.run(code)[1], [])
        reply, outputs = kernel.run("[{'a': 1, 'b': '<i>'}, {'a': 2}]")
        html = outputs[0][1]["data"]["text/html"]
        assert "<table>" in html and "&lt;i&gt;" in html and "<i>" not in html, html
        # Pages in the middle are shown where they come.
        _, outputs = kernel.run("?TO_UPPER\n1")
        equal([kind for kind, _ in outputs], ["display_data", "execute_result"])
        # What may not mean what was meant is told beside the result.
        _, outputs = kernel.run("8 / 2 * 4")
        equal([kind for kind, _ in outputs], ["stream", "execute_result"])
        equal(outputs[0][1]["name"], "stderr")
        # Silent cells show nothing and count nothing.
        before = kernel.run("1")[0]["execution_count"]
        equal(kernel.run("z := 5", silent=True)[1], [])
        reply, _ = kernel.run("z")
        equal(reply["execution_count"], before + 1)
        # Values besides.
        reply, _ = kernel.run("1", user_expressions={"a": "x + 1", "b": "NO_SUCH(1)"})
        equal(reply["user_expressions"]["a"]["data"]["text/plain"], "3")
        equal(reply["user_expressions"]["b"]["ename"], "E0201")


def check_errors():
    with Kernel() as kernel:
        reply, outputs = kernel.run("x := 1\ny := TO_UPPER(")
        equal(reply["status"], "error")
        equal(reply["ename"], "E0102")
        kind, error = outputs[-1]
        equal(kind, "error")
        text = "\n".join(error["traceback"])
        assert "TO_UPPER(" in text and "^" in text, text
        # What came before the error has been done.
        equal(kernel.text("x"), "1")
        # Cells behind a failed one are given up; the next ones run.
        messages = [kernel.client.execute(code) for code in ["NO_SUCH(1)", "a := 1", "b := 2"]]
        replies = [kernel.reply(message)["status"] for message in messages]
        assert replies[0] == "error" and set(replies[1:]) <= {"aborted", "ok"}, replies
        # Who knows of the failure, and sends a cell all the same, wants it to run.
        for _ in range(50):
            message_id = kernel.client.execute("NO_SUCH(1)")
            told = None
            while told != (message_id, "error"):
                message = kernel.client.get_iopub_msg(timeout=PATIENCE)
                told = (message["parent_header"].get("msg_id"), message["msg_type"])
            equal(kernel.run("3")[0]["status"], "ok")
        # The lines of an error are no longer than anybody reads.
        reply, _ = kernel.run("NO_SUCH(" + "1, " * 10_000 + "1)")
        assert len("\n".join(reply["traceback"])) < 20_000
        equal(kernel.run("%%nothing\n1")[0]["ename"], "E0115")


def check_interrupt():
    with Kernel() as kernel:
        kernel.run("kept := 7")
        slow = "MAP(SPLIT(FILL_LEFT('', ',', 3000), ','), a -> MAP(SPLIT(FILL_LEFT('', ',', 3000), ','), b -> 1))"
        for way in ["message", "signal"]:
            message_id = kernel.client.execute(slow)
            busy = False
            while not busy:
                message = kernel.client.get_iopub_msg(timeout=PATIENCE)
                busy = message["msg_type"] == "execute_input"
            begin = time.monotonic()
            if way == "message":
                kernel.manager.interrupt_kernel()
            else:
                os.kill(kernel.manager.provisioner.pid, signal.SIGINT)
            reply = kernel.reply(message_id)
            print(f"interrupted by {way} within {1000 * (time.monotonic() - begin):.0f} ms")
            equal(reply["ename"], "E0307")
            equal(kernel.text("kept"), "7")
        # Nothing runs: the next cell is not meant.
        kernel.manager.interrupt_kernel()
        equal(kernel.text("1 + 1"), "2")


def check_restart():
    with Kernel() as kernel:
        kernel.run("x := 1")
        kernel.manager.restart_kernel()
        kernel.client.wait_for_ready(timeout=PATIENCE)
        equal(kernel.run("x")[1], [])
        process = kernel.manager.provisioner.process
        kernel.manager.shutdown_kernel()
        equal(process.wait(PATIENCE), 0)


def check_quit():
    with Kernel() as kernel:
        reply, _ = kernel.run("quit")
        equal(reply["payload"][0]["source"], "ask_exit")
        process = kernel.manager.provisioner.process
        equal(process.wait(PATIENCE), 0)


def check_orphan():
    """A kernel whose starter is gone ends, also while it waits for input."""
    starter = """
import sys, time
from jupyter_client import KernelManager
manager = KernelManager(kernel_name="stellar")
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=120)
client.execute("SHELL_EDIT('text')", allow_stdin=True)
print(manager.provisioner.pid, flush=True)
client.get_stdin_msg(timeout=120)
import os
os._exit(0)
"""
    gone = subprocess.run([sys.executable, "-c", starter], stdout=subprocess.PIPE, check=True)
    pid = int(gone.stdout)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    raise AssertionError("the kernel lives on")


def check_input():
    with Kernel() as kernel:
        for answer, expected in [("written", "written"), ("", "begun")]:
            message_id = kernel.client.execute("SHELL_EDIT('begun')", allow_stdin=True)
            asked = kernel.client.get_stdin_msg(timeout=PATIENCE)
            equal(asked["msg_type"], "input_request")
            kernel.client.input(answer)
            outputs = kernel.outputs(message_id)
            equal(outputs[0][1]["data"]["text/plain"], expected)
            kernel.reply(message_id)
        # Where nobody can be asked, functions say so.
        _, outputs = kernel.run("SHELL_EDIT('begun')", allow_stdin=False)
        assert "takes no input" in outputs[0][1]["text"], outputs
        # A question can be given up.
        message_id = kernel.client.execute("SHELL_EDIT('begun')", allow_stdin=True)
        kernel.client.get_stdin_msg(timeout=PATIENCE)
        kernel.manager.interrupt_kernel()
        equal(kernel.reply(message_id)["status"], "error")


def check_flood(script):
    """Hundreds of thousands of lines: few messages, a note at the end, and the kernel listens meanwhile."""
    with open(script, "w") as file:
        file.writelines(f"{number}\n" for number in range(30_000))
    with Kernel() as kernel:
        reply, outputs = kernel.run(f"%load {script}")
        equal(reply["status"], "ok")
        printed = "".join(content["text"] for kind, content in outputs if content["name"] == "stdout")
        equal(printed.count("\n"), 10_000)
        assert len(outputs) < 200, len(outputs)
        assert "20000 more lines" in outputs[-1][1]["text"], outputs[-1]
        message_id = kernel.client.execute(f"%load {script}")
        time.sleep(0.05)
        kernel.manager.interrupt_kernel()
        assert kernel.reply(message_id)["status"] in ["error", "ok"]
        equal(kernel.text("1"), "1")


def check_order():
    """Many cells in a row: none loses its output, none gets that of another."""
    with Kernel() as kernel:
        messages = {kernel.client.execute(f"{number} + 0"): str(number) for number in range(200)}
        found = {}
        idle = set()
        while len(idle) < len(messages):
            message = kernel.client.get_iopub_msg(timeout=PATIENCE)
            parent = message["parent_header"].get("msg_id")
            if parent not in messages:
                continue
            if message["msg_type"] == "execute_result":
                assert parent not in idle, "output behind the end"
                found[parent] = message["content"]["data"]["text/plain"]
            elif message["content"].get("execution_state") == "idle":
                idle.add(parent)
        equal(found, messages)


def check_streams(script):
    """What a loaded script gives, and what functions say, is shown while the cell runs."""
    wait = "waited := FILTER(SPLIT(FILL_LEFT('', ',', 3000), ','), a -> LENGTH(FILTER(SPLIT(FILL_LEFT('', ',', 3000), ','), b -> false)) > 0)"
    with open(script, "w") as file:
        file.write("1 + 1\n'first'\n?TO_UPPER\n%define\n")
    with Kernel() as kernel:
        reply, outputs = kernel.run(f"%load {script}\n9")
        equal(reply["status"], "error")
        equal([kind for kind, _ in outputs], ["stream", "display_data", "error"])
        equal(outputs[0][1]["text"], "2\nfirst\n")
        with open(script, "w") as file:
            file.write(f"'before'\n{wait}\n'behind'\n")
        message_id = kernel.client.execute(f"%load {script}")
        while True:
            message = kernel.client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == message_id and message["msg_type"] == "stream":
                break
        # The cell still runs: it can be stopped, and what stands behind was not reached.
        equal(message["content"]["text"], "before\n")
        kernel.manager.interrupt_kernel()
        equal(kernel.reply(message_id)["ename"], "E0307")
        printed = [content for kind, content in kernel.outputs(message_id) if kind == "stream"]
        equal(printed, [])
        # What functions say, between what scripts print.
        with open(script, "w") as file:
            file.write("'a'\nPROFILE_GET('p', 'e', PROFILE_FIXED(1, 'HOURS', {'no.such.key': 1}))\n'b'\n")
        _, outputs = kernel.run(f"%load {script}")
        names = [content["name"] for kind, content in outputs if kind == "stream"]
        equal((names[0], set(names[1:-1]), names[-1]), ("stdout", {"stderr"}, "stdout"))
        # A script whose results are assigned shows them at its end.
        with open(script, "w") as file:
            file.write("1\n2\n")
        equal(kernel.text(f"both := %load {script}\nboth"), "1\n2")


def check_commands():
    """Commands of the shell in cells, and help that knows of notebooks."""
    with Kernel() as kernel:

        def page(code):
            reply, outputs = kernel.run(code)
            equal((code, reply["status"]), (code, "ok"))
            return "".join(content["data"]["text/plain"] for kind, content in outputs if kind == "display_data")

        for room in ["profile", "collection", "event", "rule"]:
            assert f"\n{room} " in "\n" + page("%connect"), room
        reply, _ = kernel.run("%connect collection redis://:hidden@127.0.0.1:1/0")
        equal(reply["ename"], "E0604")
        assert "hidden" not in json.dumps(reply), reply
        assert "does not exist yet" in page("%store")
        equal(page("%globals"), "{}")
        equal(kernel.text("%define place := 'here'"), "here")
        equal(page("%globals"), "{place=here}")
        for code in ["%help", "help"]:
            overview = page(code)
            assert "In a notebook" in overview and "%%pipeline" in overview and "Ctrl-D" not in overview
        for code in ["?%%map", "%%map?", "%help %%map"]:
            assert "Usage: %%map [FILE" in page(code), code
        equal(kernel.run("?%%mapp")[0]["ename"], "E0115")
        client = kernel.client
        equal(kernel.reply(client.complete("%%pr", 4))["matches"], ["%%profile"])
        equal(kernel.reply(client.complete("?%%", 3))["matches"], ["%%map", "%%pipeline", "%%profile", "%%rule"])
        assert kernel.reply(client.inspect("%%rule x.jsonl", 3))["found"]
        # Settings change, and cells can be interrupted all the same.
        equal(kernel.run("%set limits.time 300s")[0]["status"], "ok")
        reply, _ = kernel.run("%set shell.keys vi")
        assert "starts" in reply["evalue"], reply
        message_id = client.execute("MAP(SPLIT(FILL_LEFT('', ',', 3000), ','), a -> "
                                    "MAP(SPLIT(FILL_LEFT('', ',', 3000), ','), b -> 1))")
        while client.get_iopub_msg(timeout=PATIENCE)["msg_type"] != "execute_input":
            pass
        kernel.manager.interrupt_kernel()
        equal(kernel.reply(message_id)["ename"], "E0307")
        # Other ways of showing results.
        _, outputs = kernel.run("%mode json\n[{'a': 1}]")
        equal(list(outputs[0][1]["data"]), ["text/plain"])


def check_several():
    """Several front ends at once: each gets its answers, all see everything; one that dies or does not read is no harm."""
    import zmq

    with Kernel() as kernel:
        # Those of the manager would all have the same name.
        others = [BlockingKernelClient() for _ in range(4)]
        for other in others:
            other.load_connection_info(kernel.manager.get_connection_info())
            other.start_channels()
            other.wait_for_ready(timeout=PATIENCE)
        asked = [other.execute(f"{number} * 2") for number, other in enumerate(others)]
        for number, (other, message_id) in enumerate(zip(others, asked)):
            while other.get_shell_msg(timeout=PATIENCE)["parent_header"].get("msg_id") != message_id:
                pass
            seen = {}
            while len(seen) < len(asked):
                message = other.get_iopub_msg(timeout=PATIENCE)
                if message["msg_type"] == "execute_result":
                    seen[message["parent_header"]["msg_id"]] = message["content"]["data"]["text/plain"]
            equal(seen, {one: str(2 * at) for at, one in enumerate(asked)})
        # One goes while its cell runs.
        others[0].execute("MAP(SPLIT(FILL_LEFT('', ',', 300), ','), a -> LENGTH(SPLIT(FILL_LEFT('', ',', 3000), ',')))")
        for other in others:
            other.stop_channels()
        equal(kernel.text("1 + 1"), "2")
        # One listens and never reads what it hears.
        info = kernel.client.get_connection_info()
        context = zmq.Context()
        deaf = context.socket(zmq.SUB)
        deaf.setsockopt(zmq.RCVHWM, 1)
        deaf.setsockopt(zmq.RCVBUF, 4096)
        deaf.setsockopt(zmq.SUBSCRIBE, b"")
        deaf.connect(f"tcp://{info['ip']}:{info['iopub_port']}")
        deaf.poll(1000 * PATIENCE)
        wide = "MAP(SPLIT(FILL_LEFT('', ',', 200), ','), a -> FILL_LEFT('', 'x', 20000))\n%last"
        for _ in range(10):
            reply, outputs = kernel.run(wide)
            equal((reply["status"], len(outputs)), ("ok", 1))
        deaf.close(linger=0)
        context.term()
        equal(kernel.text("2 + 2"), "4")


def check_sizes():
    """Large results are cut, with a word about the rest."""
    with Kernel() as kernel:
        most = 30_000_000
        for code in [
            "FILL_LEFT('', 'x', 16000000)\n%last",
            "big := FILL_LEFT('', 'x', 16000000)\nMAP(SPLIT(FILL_LEFT('', ',', 20), ','), a -> big)\n%last",
            "MAP(SPLIT(FILL_LEFT('', ',', 99999), ','), a -> {'a': a, 'b': 1})\n%last",
            "MAP(SPLIT(FILL_LEFT('', ',', 99999), ','), a -> {'a': big})",
            "%vars",
            "%plot MAP(SPLIT(FILL_LEFT('', ',', 99999), ','), a -> 3.5)",
        ]:
            reply, outputs = kernel.run(code)
            equal((code, reply["status"], len(outputs)), (code, "ok", 1))
            size = len(json.dumps(outputs))
            assert size < most, f"{code}: {size} bytes"
        for code in ["[" * 10_000 + "]" * 10_000, "x" * 1_000_000, "big + 1 +", "TO_INTEGER(big, big)"]:
            reply, outputs = kernel.run(code)
            size = len(json.dumps([reply, outputs]))
            assert size < 200_000, f"{code[:50]}: {size} bytes"
        equal(kernel.text("1 + 1"), "2")


def check_figures():
    """How fast the kernel is: printed, and nothing is asserted."""
    begin = time.monotonic()
    with Kernel() as kernel:
        print(f"ready within {1000 * (time.monotonic() - begin):.0f} ms, with Jupyter's own part")

        def told(what, ask, times=100):
            spans = []
            for _ in range(times):
                begin = time.monotonic()
                kernel.reply(ask())
                spans.append(1000 * (time.monotonic() - begin))
            spans.sort()
            print(f"{what}: median {spans[times // 2]:.1f} ms, most {spans[-1]:.1f} ms")

        client = kernel.client
        told("a cell", lambda: client.execute("1 + 1"))
        kernel.run("".join(f"def FUNCTION_{number}(a) := a + {number}\n" for number in range(300)))
        kernel.run("".join(f"variable_{number} := {number}\n" for number in range(10_000)))
        told("a cell with 10,000 variables", lambda: client.execute("variable_77 + 1"))
        for text in ["LENGTH(variable_9999", "LENGTH(variable_", "LENGTH(", "FUNCTION_2", "TO_UPP", "%"]:
            told(f"completion of {text}", lambda: client.complete(text, len(text)), 30)
        told("inspection", lambda: client.inspect("TO_UPPER", 3), 30)


def check_asked():
    """Completion, inspection, completeness."""
    with Kernel() as kernel:
        client = kernel.client
        kernel.run("login_count := 3\nä := 1")
        reply = kernel.reply(client.complete("TO_UPPER(login_", 15))
        equal((reply["matches"], reply["cursor_start"], reply["cursor_end"]), (["login_count"], 9, 15))
        # Places are counted in characters.
        reply = kernel.reply(client.complete("'ää𝄞' + TO_UPP", 14))
        equal((reply["matches"], reply["cursor_start"], reply["cursor_end"]), (["TO_UPPER"], 8, 14))
        for code, at in [("TO_UPPER('a')", 3), ("TO_UPPER('a'", 12), ("?TO_UPPER", 9)]:
            reply = kernel.reply(client.inspect(code, at))
            assert reply["found"] and "capitals" in reply["data"]["text/plain"], (code, reply)
        reply = kernel.reply(client.inspect("login_count + 1", 4))
        assert "Integer" in reply["data"]["text/plain"], reply
        equal(kernel.reply(client.inspect("no_such_name", 4))["found"], False)
        reply = kernel.reply(client.inspect("", 0))
        equal((reply["status"], reply["found"]), ("ok", False))


def check_hostile():
    """Messages that are none leave the kernel alive."""
    import zmq

    with Kernel() as kernel:
        info = kernel.client.get_connection_info()
        context = zmq.Context()
        for port in ["shell_port", "control_port", "stdin_port"]:
            socket = context.socket(zmq.DEALER)
            socket.connect(f"tcp://{info['ip']}:{info[port]}")
            header = json.dumps({"msg_id": "x", "msg_type": "execute_request", "session": "x", "username": "x",
                                 "date": "2024-01-01T00:00:00Z", "version": "5.3"}).encode()
            for parts in [
                [b""], [b"<IDS|MSG>"], [b"<IDS|MSG>", b"bad", b"{}", b"{}", b"{}", b"{}"],
                [b"<IDS|MSG>", b"00", header, b"{}", b"{}", b'{"code": "x := 666"}'],
                [b"a", b"b", b"c"], [b"<IDS|MSG>", b"", b"\xff", b"{", b"[]", b"null"], [b"x" * 1_000_000],
            ]:
                socket.send_multipart(parts)
            socket.close(linger=1000)
        context.term()
        # A request whose content is not right is answered.
        message = kernel.client.session.msg("complete_request", {"code": 7})
        kernel.client.shell_channel.send(message)
        reply = kernel.reply(message["header"]["msg_id"])
        equal(reply["status"], "error")
        assert "complete_request is not" in reply["evalue"], reply
        # Front ends may leave out what they do not care for.
        message = kernel.client.session.msg("execute_request", {"code": "1 + 2"})
        kernel.client.shell_channel.send(message)
        equal(kernel.reply(message["header"]["msg_id"])["status"], "ok")
        # What asks for nothing is not answered, and does no harm.
        for kind in ["comm_open", "comm_msg", "comm_close", "execute_reply", ""]:
            kernel.client.shell_channel.send(kernel.client.session.msg(kind, {"comm_id": "x", "data": {}}))
        message = kernel.client.session.msg("no_such_request", {})
        kernel.client.shell_channel.send(message)
        equal(kernel.reply(message["header"]["msg_id"])["status"], "error")
        equal(kernel.run("x")[1], [])
        equal(kernel.text("1 + 1"), "2")


def check_notebook(path, update):
    """Runs a notebook and compares what its cells show with what it holds; with update 1 it holds that afterwards."""
    notebook = nbformat.read(path, as_version=4)
    held = [cell.get("outputs", []) for cell in notebook.cells]
    folder = os.path.dirname(os.path.abspath(path))
    client = NotebookClient(
        notebook,
        timeout=PATIENCE,
        kernel_name="stellar",
        record_timing=False,
        resources={"metadata": {"path": folder}},
    )
    client.execute()
    if update == "1":
        with open(path, "w") as file:
            file.write(json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        return
    shown = [cell.get("outputs", []) for cell in notebook.cells]
    for cell, expected, found in zip(notebook.cells, held, shown):
        assert found == expected, f"{cell.source}\n\n{found}\n\ninstead of\n\n{expected}"
    assert any(held), "the notebook holds nothing that its cells have shown"


if __name__ == "__main__":
    name, arguments = sys.argv[1], sys.argv[2:]
    if name != "ready":
        try:
            globals()[f"check_{name}"](*arguments)
        except queue.Empty:
            sys.exit("nothing came from the kernel")
