// Package pacemaker is what agents, and what they leave running, ask Pacemaker on this node, and
// report to it besides exit codes: node attributes, a failure, what it manages and will do. Each
// call has a deadline of its own.
//
// It imports contract, command, ocf and param. Open this file first; attributes.go publishes.
package pacemaker

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
)

const (
	// managedTimeout is how long Pacemaker may take to say whether it manages the resource here,
	// while clients wait.
	managedTimeout = time.Second
	// returnsTimeout is how long it may take to say what it will do, while HAProxy keeps serving.
	returnsTimeout = 2 * time.Second
	// nameTimeout is how long it may take to say what it calls this node.
	nameTimeout = time.Second
	// failTimeout is how long it may take to record a failure.
	failTimeout = 5 * time.Second
)

// Tools are Pacemaker's programs, and hawser itself; tests replace them.
type Tools struct {
	AttrdUpdater, CrmMon, CrmNode, CrmSimulate, CrmResource, Cibadmin, Hawser string

	hangs *hang
}

// Variables returns those of this process's environment that the tools need to talk to Pacemaker, such
// as PCMK_ipc_buffer.
func Variables() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return !strings.HasPrefix(entry, "PCMK_")
	})
}

// Installed returns the programs of this machine.
func Installed() Tools {
	return Tools{
		AttrdUpdater: "/usr/sbin/attrd_updater", CrmMon: "/usr/sbin/crm_mon",
		CrmNode: "/usr/sbin/crm_node", CrmSimulate: "/usr/sbin/crm_simulate",
		CrmResource: "/usr/sbin/crm_resource", Cibadmin: "/usr/sbin/cibadmin",
		Hawser: "/usr/sbin/hawser", hangs: new(hang),
	}
}

// Why Pacemaker is not asked to recover the resource.
var (
	//nolint:staticcheck // a name
	ErrUnmanaged = errors.New("Pacemaker does not manage it here (maintenance, or " +
		"is-managed=false)")
	ErrNoCluster = errors.New("Pacemaker does not run here") //nolint:staticcheck // a name
)

// disconnected is the exit code of Pacemaker's tools where it does not run (CRM_EX_DISCONNECT,
// crm/common/results.h).
const disconnected = 102

// NameNode finds out what Pacemaker calls this node, if it did not make the call itself: a start by
// hand (crm_resource --force-start). Where Pacemaker does not answer, the host's name has to do.
func (t Tools) NameNode(ctx context.Context) {
	call := ocf.CallFrom(ctx)
	if call.Clustered || !t.hasNode() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, nameTimeout)
	defer cancel()
	text, err := runTool(ctx, t.CrmNode, "-n")
	if name := strings.TrimSpace(string(text)); err == nil && name != "" {
		call.SetNode(name)
	} else {
		call.Infof("this node is taken to be %s: Pacemaker does not say what it calls it (%v)",
			call.Node, err)
	}
}

// hasNode reports whether crm_node is installed, or may be.
func (t Tools) hasNode() bool {
	_, err := os.Lstat(t.CrmNode)
	return !errors.Is(err, os.ErrNotExist)
}

// resourceID returns the id of the resource that an instance belongs to.
func resourceID(instance string) string { return contract.ResourceOf(instance).String() }

// clusterResource is a resource as crm_mon and crm_simulate write it in XML.
type clusterResource struct {
	ID      string `xml:"id,attr"`
	Managed string `xml:"managed,attr"`
	Role    string `xml:"role,attr"`
	Nodes   []struct {
		Name string `xml:"name,attr"`
	} `xml:"node"`
}

func (r clusterResource) on(node string) bool {
	for _, n := range r.Nodes {
		if n.Name == node {
			return true
		}
	}
	return false
}

// resourcesIn returns the resources below the first element of the name, however deep in clones and
// groups.
func resourcesIn(text []byte, element string) ([]clusterResource, error) {
	decoder := xml.NewDecoder(strings.NewReader(string(text)))
	var all []clusterResource
	inside := 0
	for {
		token, err := decoder.Token()
		if err != nil {
			if len(text) > 0 && inside == 0 && all != nil {
				return all, nil
			}
			return nil, fmt.Errorf("its answer is not understood: %w", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			switch {
			case inside == 0 && token.Name.Local == element:
				inside = 1
			case inside > 0 && token.Name.Local == "resource":
				var r clusterResource
				if err := decoder.DecodeElement(&r, &token); err != nil {
					return nil, fmt.Errorf("its answer is not understood: %w", err)
				}
				all = append(all, r)
			case inside > 0:
				inside++
			}
		case xml.EndElement:
			if inside > 0 {
				if inside--; inside == 0 {
					return all, nil
				}
			}
		}
	}
}

// Managed returns nil if Pacemaker manages the resource on this node, ErrUnmanaged if it does not,
// ErrNoCluster if it does not run. crm_mon's answer takes maintenance of the cluster and of a node,
// is-managed of a clone, and rules into account; the raw configuration does not.
func (t Tools) Managed(ctx context.Context) error {
	t.NameNode(ctx)
	call := ocf.CallFrom(ctx)
	ctx, cancel := context.WithTimeout(ctx, managedTimeout)
	defer cancel()
	id := resourceID(call.Instance)
	text, err := runTool(ctx, t.CrmMon, "-1", "--output-as=xml", "--resource", id,
		"--include", "none,resources")
	if err != nil {
		return err
	}
	resources, err := resourcesIn(text, "resources")
	if err != nil {
		return fmt.Errorf("%s: %w", t.CrmMon, err)
	}
	known := false // of a clone, the instance on this node: another node may be in maintenance
	for _, r := range resources {
		if resourceID(r.ID) != id || !r.on(call.Node) {
			continue
		}
		if r.Managed == "false" {
			return ErrUnmanaged
		}
		known = true
	}
	if !known {
		return fmt.Errorf("%s does not know %s on %s", t.CrmMon, id, call.Node)
	}
	return nil
}

// WillReturn reports whether Pacemaker is going to start the resource on this node again, as in a
// restart for a changed parameter. It has Pacemaker's scheduler simulate the transition. Unknown is
// "no".
func (t Tools) WillReturn(ctx context.Context) (bool, error) {
	call := ocf.CallFrom(ctx)
	ctx, cancel := context.WithTimeout(ctx, returnsTimeout)
	defer cancel()
	text, err := runTool(ctx, t.CrmSimulate, "--simulate", "--live-check", "--output-as=xml")
	if err != nil {
		return false, err
	}
	resources, err := resourcesIn(text, "revised_cluster_status")
	if err != nil {
		return false, fmt.Errorf("%s: %w", t.CrmSimulate, err)
	}
	for _, r := range resources {
		if resourceID(r.ID) == resourceID(call.Instance) && r.Role == "Started" && r.on(call.Node) {
			return true, nil
		}
	}
	return false, nil
}

// HandOver tells Pacemaker that the resource has failed here, so that it recovers it at once and not
// at the next monitor. Pacemaker shows such a failure as "Simulated failure", so the reason is
// published first.
func (t Tools) HandOver(ctx context.Context, call *ocf.Call, why string) {
	name := contract.HandedOverAttribute(contract.ResourceOf(call.Instance))
	if err := t.attrd(ctx, "-n", name, "-U",
		contract.HandedOver{At: time.Now(), Why: why}.String()); err != nil {
		call.Warnf("cannot tell the cluster why HAProxy is left to it: %v", err)
	}
	if err := t.Fail(ctx, call); err != nil {
		call.Errorf("cannot tell Pacemaker, whose next monitor will find it: %v", err)
	}
}

// Fail reports to Pacemaker that the resource has failed on this node.
func (t Tools) Fail(ctx context.Context, call *ocf.Call) error {
	ctx, cancel := context.WithTimeout(ctx, failTimeout)
	defer cancel()
	_, err := runTool(ctx, t.CrmResource, "--fail", "-r", resourceID(call.Instance), "-N", call.Node)
	return err
}

// exitError is the error for a program that exited with another code than 0.
type exitError struct {
	program string
	code    int
	said    string
}

func (e *exitError) Error() string {
	return fmt.Sprintf("%s exited with %d: %s", e.program, e.code, e.said)
}

// Is reports ErrNoCluster for the exit code of a tool that could not reach Pacemaker.
func (e *exitError) Is(target error) bool {
	return e.code == disconnected && errors.Is(target, ErrNoCluster)
}

// QueryCIB returns what this node's copy of the CIB has at an XPath.
func (t Tools) QueryCIB(ctx context.Context, xpath string) ([]byte, error) {
	return runTool(ctx, t.Cibadmin, "--query", "--local", "--xpath", xpath)
}
