package crm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/beevik/etree"
)

// Newer reports whether the configuration of this version is newer than that of another. Status
// updates do not count.
func (v Version) Newer(other Version) bool {
	if v.AdminEpoch != other.AdminEpoch {
		return v.AdminEpoch > other.AdminEpoch
	}
	return v.Epoch > other.Epoch
}

// versioned is a cluster that can be asked for the version of its configuration alone, which costs
// less than the configuration.
type versioned interface {
	Version(ctx context.Context) (Version, error)
}

// Version asks for the version of the configuration that is in force.
func (t *Tools) Version(ctx context.Context) (Version, error) {
	ctx, cancel := withLimit(ctx)
	defer cancel()
	text, err := t.query(ctx, "--xpath", "/cib", "--no-children")
	if err != nil {
		return Version{}, err
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(bytes.TrimSpace(text)); err != nil {
		return Version{}, fmt.Errorf("cibadmin's answer cannot be read: %w", err)
	}
	if doc.Root() == nil || doc.Root().Tag != "cib" {
		return Version{}, errors.New("cibadmin's answer cannot be read: it is not <cib>")
	}
	return versionOf(doc.Root())
}

// Version asks the cluster below for it, not only once: it is what a wait is for.
func (o *Once) Version(ctx context.Context) (Version, error) {
	if v, ok := o.Cluster.(versioned); ok {
		return v.Version(ctx)
	}
	c, err := o.Query(ctx)
	if err != nil {
		return Version{}, err
	}
	return c.Version, nil
}

// SavedVersion reads the version of the configuration that Pacemaker has saved in a file.
func SavedVersion(file string) (Version, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Version{}, err
	}
	c, err := ParseCIB(text)
	if err != nil {
		return Version{}, fmt.Errorf("%s: %w", file, err)
	}
	return c.Version, nil
}

// LocalNode asks Pacemaker for its name of this machine, which need not be the host's.
func (t *Tools) LocalNode(ctx context.Context) (string, error) {
	ctx, cancel := withLimit(ctx)
	defer cancel()
	out, err := t.run(ctx, nil, "crm_node", "--name")
	if err != nil {
		return "", err
	}
	if out.code != 0 {
		return "", t.toolError("crm_node", "ask for this node's name", out)
	}
	return strings.TrimSpace(string(out.stdout)), nil
}
