# One image for web, worker and the one-shot migration. The lock is hashed; nothing runs as root.

FROM python:3.13-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/carillon
ENV PATH=/opt/carillon/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.lock requirements-build.lock ./
RUN pip install --require-hashes --requirement requirements-build.lock \
    && pip install --require-hashes --no-build-isolation --requirement requirements.lock
COPY pyproject.toml README.md LICENSE carillon.py ./
COPY broker broker
COPY ledger ledger
COPY channels channels
COPY sources sources
COPY config config
COPY workers workers
COPY web web
COPY sandbox sandbox
COPY cli cli
RUN pip install --no-deps --no-build-isolation . \
    && pip uninstall --yes setuptools wheel

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/carillon carillon
COPY --from=build /opt/carillon /opt/carillon
ENV PATH=/opt/carillon/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER carillon
WORKDIR /var/lib/carillon
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["carillon"]
CMD ["up"]
