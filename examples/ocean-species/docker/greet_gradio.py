"""In small: the standard library serves what Gradio would."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Hello")


HTTPServer((os.environ["SERVER_NAME"], int(os.environ["SERVER_PORT"])), Handler).serve_forever()
