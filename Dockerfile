# docker build -t coredns-ede . ; the root file system may be read-only.
FROM golang:1.26 AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libcap2-bin
COPY . /src
RUN /src/deploy/build.sh 1.15.0 /coredns && setcap cap_net_bind_service=+ep /coredns

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /coredns /coredns
USER 65532:65532
EXPOSE 53/udp 53/tcp
ENTRYPOINT ["/coredns"]
