"""The service: GET /stats says what the detector has loaded."""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from detector import Detector
from frames import every

detector = Detector(os.environ.get("MODEL_PATH", "/app/models/best.pt"))
step = int(os.environ.get("PROCESS_EVERY_N_FRAMES", "5"))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.path == "/stats"
        answer = {**detector.stats(), "frames": every(step, list(range(10)))} if known else {"error": "not found"}
        body = json.dumps(answer).encode()
        self.send_response(200 if known else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    HTTPServer(("", 8000), Handler).serve_forever()
