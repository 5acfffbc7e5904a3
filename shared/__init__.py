"""What web and workers agree on: settings, queues, job records, result cache, schemas, offsets."""
