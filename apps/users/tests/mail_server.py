"""A mail server on loopback that speaks as much SMTP as takes a message."""

import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from socketserver import StreamRequestHandler, ThreadingTCPServer

PASSWORD = "P4SS-of-a-mailbox"


class MailServer(ThreadingTCPServer):
    """At the same port after a restart. `answers`: to its next messages; 0 hangs up when somebody comes."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        self.heard: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answers: list[int] = []
        super().__init__(("127.0.0.1", port), _Session)
        self.port: int = self.server_address[1]
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def url(self) -> str:
        return f"smtp://desk:{PASSWORD}@127.0.0.1:{self.port}"

    def end(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class _Session(StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        answer = self.server.answers.pop(0) if self.server.answers else 250
        if not answer:
            return
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            word = line.split(":")[0].upper()
            if word == "QUIT":
                self.say("221 bye")
                return
            if word == "DATA":
                self.say("354 go on")
                self.take(answer)
            elif word.startswith("EHLO"):
                self.say("250-here\r\n250 AUTH PLAIN")
            else:
                self.hear(word, line)

    def hear(self, word: str, line: str) -> None:
        if word == "RCPT TO":
            self.server.recipients.append(line.split("<")[1].rstrip(">"))
        self.say("235 welcome" if word.startswith("AUTH") else "250 yes")

    def take(self, answer: int) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        if answer == 250:
            self.server.heard.append(message_from_bytes(b"".join(lines), policy=policy.default))
        self.say(f"{answer} as told")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
