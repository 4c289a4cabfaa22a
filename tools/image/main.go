// Image writes the image of a release to a file: an OCI archive for several
// platforms, each with one binary and the CA certificates. It is what the
// Dockerfile builds, without Docker, and the same bytes each time.
//
//	go run -C tools ./image -version 1.15.0-ede0.1.0 -output image.tar amd64=coredns-amd64 arm64=coredns-arm64
package main

import (
	"archive/tar"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func main() {
	var o options
	flag.StringVar(&o.version, "version", "unknown", "the version in the image's labels, and its tag")
	flag.StringVar(&o.revision, "revision", "unknown", "the commit in the image's labels")
	flag.StringVar(&o.output, "output", "image.tar", "the file to write")
	created := flag.String("created", "1970-01-01T00:00:00Z", "the time that everything in the image has, in RFC 3339")
	flag.Parse()
	var err error
	if o.created, err = time.Parse(time.RFC3339, *created); err == nil {
		o.created = o.created.UTC()
		err = o.write(flag.Args())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

type options struct {
	version, revision, output string
	created                   time.Time
}

// write writes the archive of an image for each of binaries, "amd64=FILE".
func (o options) write(binaries []string) error {
	if len(binaries) == 0 {
		return fmt.Errorf("no binary: want ARCHITECTURE=FILE, for example amd64=coredns")
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, b := range binaries {
		arch, file, ok := strings.Cut(b, "=")
		if !ok {
			return fmt.Errorf("%q: want ARCHITECTURE=FILE, for example amd64=coredns", b)
		}
		image, err := o.image(arch, file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	dir, err := os.MkdirTemp("", "image")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	name := layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": o.version})
	if err := path.AppendIndex(index, name); err != nil {
		return err
	}
	return o.archive(dir)
}

// image is a base of nothing with one layer, configured as in the Dockerfile.
func (o options) image(arch, binary string) (v1.Image, error) {
	layer, err := o.layer(binary)
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{
		Layer: layer, MediaType: types.OCILayer,
		History: v1.History{Created: v1.Time{Time: o.created}, CreatedBy: "tools/image"},
	})
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(image, o.config(arch, image))
}

func (o options) config(arch string, image v1.Image) *v1.ConfigFile {
	file, err := image.ConfigFile()
	if err != nil {
		file = &v1.ConfigFile{}
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created = "linux", arch, v1.Time{Time: o.created}
	file.Config = v1.Config{
		// By number: Kubernetes cannot tell of a name that it is not root's.
		User:         "65532:65532",
		Entrypoint:   []string{"/coredns"},
		ExposedPorts: map[string]struct{}{"53/tcp": {}, "53/udp": {}},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "CoreDNS with ede",
			"org.opencontainers.image.description": "CoreDNS that explains failed queries with Extended DNS Errors (RFC 8914)",
			"org.opencontainers.image.source":      "https://github.com/seed-1b7246af/coredns-ede",
			"org.opencontainers.image.licenses":    "Apache-2.0",
			"org.opencontainers.image.version":     o.version,
			"org.opencontainers.image.revision":    o.revision,
		},
	}
	return file
}

// archive puts the files of dir into one, in the order of their names.
func (o options) archive(dir string) error {
	out, err := os.Create(o.output)
	if err != nil {
		return err
	}
	w := tar.NewWriter(out)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return o.file(w, filepath.ToSlash(name), 0o644, content, nil)
	})
	if err == nil {
		err = w.Close()
	}
	if closed := out.Close(); err == nil {
		err = closed
	}
	return err
}
