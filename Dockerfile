# CoreDNS with ede: docker build -t coredns-ede .
#
# The image runs as nonroot and writes nothing: its root file system may be
# read-only. deploy/try-image.sh tries it.

# The version of Go decides the bytes of the binary: the one that CoreDNS names in
# .go-version.
ARG GO=1.27.3
FROM --platform=$BUILDPLATFORM golang:${GO} AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libcap2-bin
COPY . /src
ARG COREDNS=1.15.0
ARG TARGETOS
ARG TARGETARCH
# A mirror of the module proxy.
ARG GOPROXY
# A file capability, for runtimes that give a user other than root no ambient
# ones: port 53 then needs NET_BIND_SERVICE in the container's bounding set.
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH /src/deploy/build.sh "$COREDNS" /coredns && \
    setcap cap_net_bind_service=+ep /coredns

FROM scratch
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="CoreDNS with ede" \
    org.opencontainers.image.description="CoreDNS that explains failed queries with Extended DNS Errors (RFC 8914)" \
    org.opencontainers.image.source="https://github.com/seed-1b7246af/coredns-ede" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION"
# For upstreams over TLS and HTTPS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /coredns /coredns
# By number: Kubernetes cannot tell of a name that it is not root's.
USER 65532:65532
EXPOSE 53/udp 53/tcp
# No HEALTHCHECK: there is no shell in here to run one, and what serves /health
# is a plugin that the Corefile may or may not name.
ENTRYPOINT ["/coredns"]
