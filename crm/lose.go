package crm

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/beevik/etree"
)

// Lose has Pacemaker's scheduler simulate, with the present configuration and status, what it would
// do if that node ended, as after a power cut once the node is known to be down. Whether the other
// nodes would have a quorum is not asked. Nothing is written.
//
// crm_simulate can take a node away by itself (--node-down), but the one of Pacemaker 3.0.0 then has
// no actions in its XML.
func (t *Tools) Lose(ctx context.Context, node string) (Forecast, error) {
	ctx, cancel := withLimit(ctx)
	defer cancel()
	text, err := t.query(ctx)
	if err != nil {
		return Forecast{}, err
	}
	if text, err = without(text, node); err != nil {
		return Forecast{}, err
	}
	file, err := os.CreateTemp("", "hawser-lose-") // 0600
	if err != nil {
		return Forecast{}, fmt.Errorf("cannot make a temporary file for the simulation: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(text)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return Forecast{}, fmt.Errorf("cannot write the configuration for the simulation: %w", err)
	}
	return t.simulate(ctx, planFiles{live: file.Name()})
}

// without returns the CIB as it is when the node has been shut down cleanly: nothing runs there, and
// its transient attributes are gone.
func without(text []byte, node string) ([]byte, error) {
	rest, status := cutStatus(text)
	doc := etree.NewDocument()
	doc.ReadSettings.MaxDepth = maxDepth
	if err := doc.ReadFromBytes(status); err != nil || doc.Root() == nil {
		return nil, fmt.Errorf("the CIB's status cannot be read: %w", err)
	}
	found := false
	for _, state := range doc.Root().SelectElements("node_state") {
		if value(state, "uname") != node {
			continue
		}
		found = true
		for _, child := range state.ChildElements() {
			state.RemoveChild(child)
		}
		for _, a := range down() {
			state.CreateAttr(a.Name, a.Value)
		}
	}
	if !found {
		return nil, fmt.Errorf("the CIB's status has no node %s", node)
	}
	var out bytes.Buffer
	doc.Root().WriteTo(&out, &etree.WriteSettings{})
	return withStatus(rest, out.Bytes()), nil
}

// down are the attributes of the state of a node that has been shut down cleanly.
func down() []Attr {
	return []Attr{{"in_ccm", "false"}, {"crmd", "offline"}, {"join", "down"}, {"expected", "down"}}
}
