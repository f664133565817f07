"""In small: the standard library serves what Gradio would, and says how large its weights are."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"%d bytes of weights" % os.path.getsize("/models/fathomnet.safetensors"))


HTTPServer((os.environ["SERVER_NAME"], int(os.environ["SERVER_PORT"])), Handler).serve_forever()
