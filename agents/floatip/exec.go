package floatip

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/command"
)

// tools are Pacemaker's programs; tests replace them.
type tools struct{ crmMon, crmResource string }

func pacemakerTools() tools { return tools{"/usr/sbin/crm_mon", "/usr/sbin/crm_resource"} }

// toolTime is how long one of Pacemaker's programs may take.
const toolTime = 5 * time.Second

// errUnmanaged is the error for a resource that Pacemaker does not manage on this node now.
var errUnmanaged = errors.New("the cluster does not manage it now")

// managed returns nil if Pacemaker manages the resource on the node, errUnmanaged if it does not.
func (t tools) managed(ctx context.Context, id, node string) error {
	text, err := run(ctx, t.crmMon, "-1", "--output-as=xml", "--resource", id, "--include",
		"none,resources")
	if err != nil {
		return err
	}
	known := false
	for decoder := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && known {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%s does not know %s on %s", t.crmMon, id, node)
		}
		if err != nil {
			return fmt.Errorf("the answer of %s is not understood: %w", t.crmMon, err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "resource" {
			continue
		}
		var r struct {
			ID      string `xml:"id,attr"`
			Managed string `xml:"managed,attr"`
			Nodes   []struct {
				Name string `xml:"name,attr"`
			} `xml:"node"`
		}
		if err := decoder.DecodeElement(&r, &start); err != nil {
			return fmt.Errorf("the answer of %s is not understood: %w", t.crmMon, err)
		}
		for _, n := range r.Nodes {
			if r.ID != id || n.Name != node {
				continue
			}
			if r.Managed == "false" {
				return errUnmanaged
			}
			known = true
		}
	}
}

// fail reports to Pacemaker that the resource has failed on the node, so that it is recovered at
// once and not at the next monitor.
func (t tools) fail(ctx context.Context, id, node string) error {
	_, err := run(ctx, t.crmResource, "--fail", "-r", id, "-N", node)
	return err
}

// run runs one of Pacemaker's programs and returns what it wrote.
func run(ctx context.Context, program string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, toolTime)
	defer cancel()
	cmd := command.New(ctx, program, args...)
	var output, complaint command.Output
	cmd.Stdout, cmd.Stderr = &output, &complaint
	err := cmd.Run()
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return output.Bytes(), nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s did not answer in time: %w", program, ctx.Err())
	}
	said := strings.TrimSpace(complaint.String())
	if said == "" {
		said = "it does not say why"
	}
	return nil, fmt.Errorf("%s: %w: %.300s", program, err, said)
}

// detach runs this program as the watcher, in a session of its own, with nothing of this process,
// which it outlives.
func detach(program string, env []string) error {
	// What Pacemaker forgot to close must not stay open for as long as the watcher runs.
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	cmd := &exec.Cmd{
		Path: program, Args: []string{contract.WatcherProcess}, Env: env, Dir: "/",
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start %s: %w", contract.WatcherProcess, err)
	}
	go func() { _ = cmd.Wait() }() // if this process is still there when it ends
	return nil
}
