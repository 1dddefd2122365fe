"""A server of weight files on this machine that counts what is asked of it."""

import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Server:
    """Files by path, what was asked, and how badly to answer.

    Attributes:
        files: Content by path.
        gets: Paths of all GET requests, in their order.
        heads: Those of all HEAD requests.
        cut: Bytes to leave out at the end of each answer.
        pause: Seconds before the second half of each answer.
        status: Answer of HTTP.
        ranges: Whether parts of files are given.
        asked: The `Range` and `If-Range` of all GET requests.
    """

    def __init__(self, port):
        self.root = f'http://127.0.0.1:{port}'
        self.files, self.gets, self.heads = {}, [], []
        self.cut, self.pause, self.status = 0, 0.0, 200
        self.ranges, self.asked = False, []

    def url(self, path, content=b''):
        """Has a file at a path, and gives its address."""
        self.files[f'/{path}'] = content
        return f'{self.root}/{path}'


@contextmanager
def serving():
    """A running server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.gets.append(self.path)
            headers = self.headers
            server.asked.append((headers['Range'], headers['If-Range']))
            self.answer(server.files.get(self.path.split('?')[0]))

        def do_HEAD(self):
            server.heads.append(self.path)
            self.answer(server.files.get(self.path), head=True)

        def answer(self, content, head=False):
            known = server.status if content is not None else 404
            tag = f'"{hash(content)}"'
            start = self.headers['Range'] if server.ranges else None
            if known == 200 and start:
                if self.headers['If-Range'] in (None, tag):
                    known, first = 206, int(start[6:-1])
                    whole, content = len(content), content[first:]
            self.send_response(known)
            if known == 206:
                place = f'bytes {first}-{whole - 1}/{whole}'
                self.send_header('Content-Range', place)
            if server.ranges:
                self.send_header('ETag', tag)
            self.send_header('Content-Length', str(len(content or b'')))
            self.end_headers()
            if head or known not in (200, 206):
                return
            half = len(content) // 2
            try:
                self.wfile.write(content[:half])
                self.wfile.flush()
                time.sleep(server.pause)
                self.wfile.write(content[half : len(content) - server.cut])
            except (BrokenPipeError, ConnectionResetError):
                pass

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    http.daemon_threads = True
    server = Server(http.server_address[1])
    Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
