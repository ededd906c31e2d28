"""A lane that only speaks, as a process to be killed: ``python -m simulator.lane_process SITE_FILE LANE CROSSINGS FOLDER``.

Its events are in a real outbox before they are sent, and leave it on the hub's signed receipt. When all are receipted it leaves a file
``done``. Killed and started again, it goes on where it was.
"""

import signal
import sys
import threading
import time
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from config.loader import load_site
from gate.core.clock import SystemClock
from gate.lane.store import EventDraft, LaneStore
from gate.wire.keyring import Keyring
from gate.wire.messages import EVENT_DATA, CloudEvent
from gate.wire.signing import Refused, Verifier, verify_receipt
from gate.wire.topics import Channel, lane_topic
from simulator.lane_talk import TalkingLane

_RESEND_S = 1.0
_AT_ONCE = 200


def main() -> None:
    site = load_site(Path(sys.argv[1]))
    lane, crossings, folder = sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
    port = site.port.id
    receipts = Verifier.trusting(*Keyring(site.keys_dir).hub_publics())
    lock = threading.Lock()
    woken = threading.Event()
    with LaneStore(folder / "lane.sqlite", port=port, lane=lane, clock=SystemClock()) as store:
        _say_all(store, port, lane, crossings, folder / "said")
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"lane-{port}-{lane}")

        def connected(*_: object) -> None:
            client.subscribe(lane_topic(port, lane, Channel.RECEIPT), 1)
            woken.set()

        def receipted(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
            receipt = verify_receipt(receipts, bytes(message.payload), address=f"{port}/{lane}")
            if not isinstance(receipt, Refused):
                with lock:
                    store.receipted(receipt.event_ids)
                woken.set()

        client.on_connect, client.on_message = connected, receipted
        client.reconnect_delay_set(min_delay=1, max_delay=1)
        client.connect_async("127.0.0.1", site.broker.port, keepalive=5)
        client.loop_start()
        sent: dict[str, float] = {}
        while True:
            with lock:
                waiting = store.waiting_events(_AT_ONCE)
            if not waiting:
                break
            for row in waiting:
                if client.is_connected() and time.monotonic() - sent.get(row.id, -_RESEND_S) >= _RESEND_S:
                    sent[row.id] = time.monotonic()
                    client.publish(lane_topic(port, lane, Channel.EVENT), row.body, qos=1)
            woken.wait(0.1)
            woken.clear()
        client.disconnect()
        client.loop_stop()
    (folder / "done").touch()


def _say_all(store: LaneStore, port: str, lane: str, crossings: int, said: Path) -> None:
    """Put all events into the outbox, once in the life of the folder: each crossing in one transaction that also says which it was."""
    while (case := int(store.open_case or "0")) < crossings:
        speaker = TalkingLane(port, lane)
        drafts = []
        for _, payload in speaker.crossing(f"{lane}-{case}", int(time.time() * 1000)):
            event = CloudEvent.model_validate_json(payload)
            data = EVENT_DATA[event.type].model_validate(event.data)
            drafts.append(EventDraft(type=event.type, data=data, case_id=event.subject))
        store.record(drafts, open_case=str(case + 1))
    said.touch()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    main()
