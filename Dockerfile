# One image for everything: a worker by default; `bulksend …` or `celery -A worker.app flower` by another command.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1
WORKDIR /src
# Both locks come before the code: a change of code alone installs nothing anew.
COPY requirements-run.lock requirements-build.lock ./
RUN python -m venv /opt/bulksend && python -m venv /opt/build \
    && /opt/bulksend/bin/pip install --require-hashes --only-binary :all: --requirement requirements-run.lock \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: --requirement requirements-build.lock
COPY . .
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/bulksend/bin/pip install --no-deps --no-index /wheels/*.whl \
    && /opt/bulksend/bin/pip uninstall --yes pip setuptools

FROM python:${PYTHON}-slim-bookworm
RUN groupadd --system --gid 10001 bulksend \
    && useradd --system --uid 10001 --gid bulksend --no-create-home --home-dir /app bulksend
COPY --from=build /opt/bulksend /opt/bulksend
ENV PATH=/opt/bulksend/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# Nothing of ours lies here; config/accounts.toml is mounted.
WORKDIR /app
USER 10001:10001
# This container's worker only: all the others are asked by their own. A look costs a second of CPU, hence the minute.
HEALTHCHECK --interval=60s --timeout=20s --start-period=30s --start-interval=5s --retries=3 \
    CMD celery -A worker.app inspect ping --timeout 10 --destination "celery@$(hostname)" || exit 1
# The worker takes no more, finishes what is on the wire, and exits: at most the longest account timeout and 5 s.
STOPSIGNAL SIGTERM
CMD ["celery", "-A", "worker.app", "worker"]
