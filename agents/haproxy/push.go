package haproxy

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/agents/haproxy/variables"
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/atomicfile"
	"github.com/hawser-ha/hawser/ocf"
)

// A configuration is brought to every node through the cluster, in two steps, each of which is a
// change of the reloadable parameter push:
//
//	check:SHA256   each node reads the configuration from the CIB, has HAProxy check it as a reload would, and tells what came of
//	               it; its HAProxy and its files are left alone
//	take:SHA256    each node keeps its former file, puts the new one in its place, and reloads
//	(empty)        what was not taken is forgotten
//
// None of it ever fails a reload, which would make Pacemaker restart HAProxy: a node that cannot do
// it says so in its attribute.

// followOrder carries out the parameter push, if it has changed. reload is whether HAProxy is to be
// reloaded afterwards; answer is then called with the outcome.
func (a *agent) followOrder(ctx context.Context, in *instance.Instance,
	s *instance.State) (reload bool, answer func(error)) {
	nothing := func(error) {}
	if a.push.String() == s.Pushed {
		return true, nothing
	}
	before := s.Pushed
	s.Pushed = a.push.String()
	answer = func(err error) { in.AnswerPush(ctx, a.push, err) }
	var err error
	switch a.push.Step {
	case contract.PushCheck:
		err = a.stage(ctx, in, s, a.push.Sum)
		answer(err)
		return false, nothing
	case contract.PushTake:
		if err = a.install(ctx, in, s, a.push.Sum); err != nil {
			answer(err)
			return false, nothing
		}
		// what an earlier reload demanded, and this node may not have loaded, is superseded
		s.Served.Generation = a.Generation
		return true, answer
	}
	if err := a.forget(ctx, in); err != nil {
		ocf.CallFrom(ctx).Warnf("%v", err)
	}
	// Withdrawing an order is no reason to load what may have been edited; a reload that is
	// requested along with it is.
	return before == "" || a.Generation != s.Served.Generation, nothing
}

// followOrderAtStart answers an order that a start finds. It never puts a file in place: the order
// may be left from a command that was killed long ago, and the file on this node newer. serves is the
// hash of what HAProxy was started with, "" where that is not known.
func (a *agent) followOrderAtStart(ctx context.Context, in *instance.Instance, serves string) {
	s, ok := in.Load()
	if ok && a.push.Step == contract.PushCheck {
		in.AnswerPush(ctx, a.push, a.stage(ctx, in, &s, a.push.Sum))
	} else if a.push.Step != "" {
		in.AnswerPush(ctx, a.push, a.alreadyServed(in, a.push.Sum, serves))
	}
}

// alreadyServed returns an error unless this node has the pushed configuration already, and HAProxy
// has loaded it.
func (a *agent) alreadyServed(in *instance.Instance, sum, serves string) error {
	if err := a.alreadyInstalled(sum); err != nil {
		return err
	}
	if serves == "" {
		return instance.ErrUnknownLoaded
	}
	if _, disk := in.OnDisk(); disk != serves {
		return fmt.Errorf("it was started with %s, and its files are %s now: push again", serves, disk)
	}
	return nil
}

// alreadyInstalled returns an error unless the pushed configuration is in its place on this node.
func (a *agent) alreadyInstalled(sum string) error {
	path, err := a.place()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err == nil && contract.Sum(text) != sum {
		err = errors.New("it was started with its own file while the others took the new one: " +
			"push again")
	}
	return err
}

// stage reads the configuration from the CIB and has HAProxy check it.
func (a *agent) stage(ctx context.Context, in *instance.Instance, s *instance.State,
	sum string) error {
	path, err := a.place()
	if err != nil {
		return err
	}
	text, err := a.fetch(ctx, in, sum)
	if err != nil {
		return err
	}
	candidate := path + contract.CandidateSuffix
	if err := replaceFile(candidate, text, path); err != nil {
		return err
	}
	if names := variables.Missing([]client.Source{{File: candidate, Text: string(text)}},
		s.Env); len(names) > 0 {
		return fmt.Errorf("it mentions %s, which HAProxy was not started with: restart the "+
			"resource", strings.Join(names, " and "))
	}
	if err := in.WriteFragment(in.StatsSocket(), in.Given(), s.Env); err != nil {
		return err
	}
	checking, cancel := instance.Portion(ctx, 2, 3)
	defer cancel()
	if err := in.CheckConfig(checking, []string{in.Fragment(), candidate}, s.Env); err != nil {
		return err
	}
	return in.RefuseIntruders()
}

// fetchTimeout is how long Pacemaker may take to return the configuration.
const fetchTimeout = 10 * time.Second

// fetch reads the configuration from this node's copy of the CIB, which gets it before the order.
func (a *agent) fetch(ctx context.Context, in *instance.Instance, sum string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	set := contract.PushSet(resourceOf(ocf.CallFrom(ctx)))
	answer, err := in.QueryCIB(ctx,
		fmt.Sprintf("//nvpair[@id='%s-%s']", set, contract.PushedConfig))
	if err != nil {
		return nil, fmt.Errorf("the configuration %.12s cannot be read from the cluster: %w", sum,
			err)
	}
	var pair struct {
		Value string `xml:"value,attr"`
	}
	if err = xml.Unmarshal(answer, &pair); err == nil {
		var text []byte
		if text, err = contract.UnpackConfig(pair.Value, sum); err == nil {
			return text, nil
		}
	}
	return nil, fmt.Errorf("what the cluster has in place of the configuration %.12s is not "+
		"usable: %w", sum, err)
}

// install keeps the previous configuration and puts the candidate in its place. Doing it twice, or
// again after it was killed anywhere, has the same result.
func (a *agent) install(ctx context.Context, in *instance.Instance, s *instance.State,
	sum string) error {
	path, err := a.place()
	if err != nil {
		return err
	}
	disk, err := os.ReadFile(path)
	there := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if there && contract.Sum(disk) == sum { // it was pushed from this node, where it was edited in place
		return errors.Join(a.keepServed(ctx, in, s, path, disk),
			instance.Remove(path+contract.CandidateSuffix))
	}
	if text, err := os.ReadFile(path + contract.CandidateSuffix); err != nil ||
		contract.Sum(text) != sum {
		if err := a.stage(ctx, in, s, sum); err != nil { // it started after the other nodes were asked
			return err
		}
	}
	served, known := servedText(in, s, disk)
	if known {
		if err := replaceFile(path+contract.PreviousSuffix, served, path); err != nil {
			return err
		}
	}
	if there && !bytes.Equal(served, disk) {
		if err := replaceFile(path+contract.UnloadedSuffix, disk, path); err != nil {
			return err
		}
		ocf.CallFrom(ctx).Warnf("%s had been edited, or it is not known whether it was loaded; kept "+
			"as %s", path, path+contract.UnloadedSuffix)
	}
	if !known {
		if err := dropPrevious(ctx, path); err != nil {
			return err
		}
	}
	if err := os.Rename(path+contract.CandidateSuffix, path); err != nil {
		return fmt.Errorf("cannot put the new configuration in place: %w", err)
	}
	return atomicfile.SyncDir(filepath.Dir(path))
}

// forget removes a configuration that was checked and not put in place, and the answer about it.
func (a *agent) forget(ctx context.Context, in *instance.Instance) error {
	call := ocf.CallFrom(ctx)
	var errs []error
	if call.Clustered {
		errs = append(errs, in.DeleteAttribute(contract.PushAttribute(resourceOf(call))))
	}
	if path, err := a.place(); err == nil {
		errs = append(errs, instance.Remove(path+contract.CandidateSuffix))
	}
	return errors.Join(errs...)
}

// replaceFile writes a file as a whole, onto the disk, with the owner and mode of another file. Where
// there is none, only root may read it: it may hold passwords.
func replaceFile(path string, text []byte, like string) error {
	if err := atomicfile.Replace(path, text, like, 0o600); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}
