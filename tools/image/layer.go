package main

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"encoding/pem"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// layer holds the binary and the CA certificates.
func (o options) layer(file string) (v1.Layer, error) {
	program, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, dir := range []string{"etc/", "etc/ssl/", "etc/ssl/certs/"} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755, ModTime: o.created}); err != nil {
			return nil, err
		}
	}
	if err := o.file(w, "etc/ssl/certs/ca-certificates.crt", 0o644, certificates(), nil); err != nil {
		return nil, err
	}
	// A file capability, for runtimes that give a user other than root no ambient ones.
	records := map[string]string{"SCHILY.xattr.security.capability": netBindService()}
	if err := o.file(w, "coredns", 0o755, program, records); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b.Bytes())), nil
	})
}

func (o options) file(w *tar.Writer, name string, mode int64, content []byte, records map[string]string) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content)), ModTime: o.created, PAXRecords: records}
	if records != nil {
		h.Format = tar.FormatPAX
	}
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err := w.Write(content)
	return err
}

// certificates are Mozilla's roots, for upstreams over TLS and HTTPS.
func certificates() []byte {
	var all []byte
	for root := range bundle.Roots() {
		all = append(all, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})...)
	}
	return all
}

// netBindService is the value of security.capability for cap_net_bind_service=ep:
// struct vfs_cap_data of revision 2, with the effective bit (linux/capability.h).
func netBindService() string {
	const revision2, effective, capability = 0x02000000, 1, 10
	var value []byte
	for _, word := range []uint32{revision2 | effective, 1 << capability, 0, 0, 0} {
		value = binary.LittleEndian.AppendUint32(value, word)
	}
	return string(value)
}
