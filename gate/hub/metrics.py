"""The hub's counters, in a registry of its own so that two hubs of one process do not share them."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """Prometheus counters of one hub."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.events = Counter("tongguan_hub_events", "Events stored", ["type"], registry=self.registry)
        self.duplicates = Counter("tongguan_hub_duplicates", "Events that were stored before", registry=self.registry)
        self.rejected = Counter("tongguan_hub_rejected", "Messages not believed", ["reason"], registry=self.registry)
        self.commands = Counter("tongguan_hub_commands", "Commands issued", ["act"], registry=self.registry)
        self.is_connected = Gauge("tongguan_hub_broker_connected", "Whether the broker answers", registry=self.registry)
        self.retries = Counter("tongguan_hub_store_retries", "Batches the database refused", registry=self.registry)
        self.commit_s = Histogram(
            "tongguan_hub_ingest_seconds",
            "From a message's arrival to its commit",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
            registry=self.registry,
        )

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
