# One image for web server, workers and Flower; docker-compose.yml says which of them a container is.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

# Where the farm may write: prepared models, downloads. A volume mounted here begins with this owner.
RUN useradd --create-home --home-dir /data --uid 10001 --shell /usr/sbin/nologin raner
WORKDIR /app

# An index that holds PyTorch built for the CPU alone makes the image some gigabytes smaller:
# docker build --build-arg PIP_EXTRA_INDEX_URL=...
ARG PIP_EXTRA_INDEX_URL=""
COPY requirements.txt constraints.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check -r requirements.txt -c constraints.txt

COPY models/ models/
COPY shared/ shared/
COPY workers/ workers/
COPY web/ web/

# A container listens for the others, and holds one worker process: `--scale worker=8` is how there are more.
ENV RANER_HOST=0.0.0.0 \
    RANER_DATA_DIR=/data \
    RANER_WORKERS=1
USER raner
VOLUME /data
EXPOSE 8000 5555
CMD ["gunicorn", "--config", "web/gunicorn.py", "web.app:create_app()"]
