package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/param"
)

// DefaultFiles lists where hawser.yaml is looked for when no file is named.
func DefaultFiles() []string { return []string{"/etc/hawser/hawser.yaml", "hawser.yaml"} }

// File is what one hawser.yaml says. Values that it does not give are "" (or 0): the agents have
// their own defaults, and what the file does not give is not written to the cluster.
type File struct {
	Path      string // as it was named
	Absolute  string // the path from the root, "" if it is no file but a stream
	Sum       string // of its bytes, as contract.Applied has it
	Sites     []Site
	Quorum    Quorum
	Fencing   Fencing
	HAProxy   HAProxy
	Addresses []Address // floating_ips
	Groups    []Group
	Resources []Belonging
}

// A ReadError says why there is nothing to parse: the file, or each of the default ones, is missing
// or cannot be read.
type ReadError struct {
	Path string // "" if no file was named and none of the default ones is there
	Err  error
}

func (e *ReadError) Error() string {
	if e.Path == "" {
		return "there is no " + strings.Join(DefaultFiles(), " and no ")
	}
	if errors.Is(e.Err, errUntrusted) {
		return fmt.Sprintf("%s is not used: %v", e.Path, e.Err)
	}
	reason := e.Err
	var path *fs.PathError
	if errors.As(e.Err, &path) {
		reason = path.Err // without the operation and a second mention of the path
	}
	return fmt.Sprintf("%s cannot be read: %v", e.Path, reason)
}

// Untrusted reports whether it is a default file that another user has made or may change.
func (e *ReadError) Untrusted() bool { return errors.Is(e.Err, errUntrusted) }

// Unwrap makes errors.Is work.
func (e *ReadError) Unwrap() error { return e.Err }

// Outcome implements outcome.Of.
func (e *ReadError) Outcome() outcome.Kind { return outcome.Usage }

// Read reads a hawser.yaml: the file at path or, if path is "", the first of DefaultFiles that
// exists, which somebody else must not be able to write. Its error is a *ReadError, or *Faults if
// the file could be read and something in it is wrong. It does not check whether the files that it
// names exist.
func Read(path string) (*File, error) {
	candidates := []string{path}
	if path == "" {
		candidates = DefaultFiles()
	}
	for _, file := range candidates {
		open := os.Open
		if path == "" {
			open = openDefault
		}
		opened, err := open(file)
		switch {
		case err == nil:
			defer func() { _ = opened.Close() }()
			text, err := read(file, opened)
			if err != nil {
				return nil, err
			}
			return ParseAs(file, text)
		case path == "" && errors.Is(err, fs.ErrNotExist):
			continue
		}
		return nil, &ReadError{Path: file, Err: err}
	}
	return nil, &ReadError{Err: fs.ErrNotExist}
}

// absolute is the path from the root, or the path itself if the directory that it begins in is gone.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

// ParseFrom reads a hawser.yaml from a stream; name names it in messages. Its errors are those of
// Read.
func ParseFrom(name string, r io.Reader) (*File, error) {
	text, err := read(name, r)
	if err != nil {
		return nil, err
	}
	return Parse(name, text)
}

func read(name string, r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxConfigSize+1))
	if err != nil {
		return nil, &ReadError{Path: name, Err: err}
	}
	return text, nil
}

// ParseAs is Parse for the text of a file that is, or will be, at path.
func ParseAs(path string, text []byte) (*File, error) {
	c, err := Parse(path, text)
	if err == nil {
		c.Absolute = absolute(path)
	}
	return c, err
}

// Parse reads the text of a hawser.yaml; path names it in messages. Its error is *Faults, with
// everything that is wrong at once.
func Parse(path string, text []byte) (*File, error) {
	c := &File{Path: path, Sum: contract.AppliedSum(text)}
	d, body := parseDocument(path, text)
	if body != nil {
		d.section(body, "", c.keys())
		c.checkInterfaces(d)
		c.HAProxy.links = c.linkChecks()
		c.checkNames(d)
		c.checkChecks(d)
		c.checkSites(d)
		c.checkGroups(d)
		c.checkPrefer(d)
		c.checkBelongings(d)
		c.checkScores(d)
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	c.HAProxy.Sites = param.FormatSites(c.ParamSites())
	c.HAProxy.WellAfter = c.wellAfter()
	return c, nil
}

// wellAfter lists the times after which addresses go back, for the agent.
func (c *File) wellAfter() string {
	var times []time.Duration
	for _, ip := range c.Leaders() {
		if after, yes := c.GoesBack(ip); yes && after > 0 {
			times = append(times, after)
		}
	}
	slices.Sort(times)
	var words []string
	for _, t := range slices.Compact(times) {
		words = append(words, param.FormatDuration(t))
	}
	return strings.Join(words, " ")
}

// checkNames refuses names of addresses, groups' members and checks that collide with those of the
// objects that hawser makes.
func (c *File) checkNames(d *document) {
	taken := map[string]string{}
	for _, id := range []string{
		contract.HAProxyID, contract.CloneID, contract.TagID, contract.BeforeID,
		contract.AppliedID, contract.AppliedID + "-" + contract.AppliedName, contract.FenceID,
	} {
		taken[id] = "hawser's own"
	}
	for i := range c.Addresses {
		if ip := &c.Addresses[i]; ip.Name != "" {
			c.takeNames(d, ip, taken)
		}
	}
	leaders := c.Leaders()
	for i, ip := range leaders {
		for _, other := range leaders[:i] {
			taken[contract.ApartID(other.Name, ip.Name)] =
				"the constraint that keeps " + other.Name + " and " + ip.Name + " apart"
		}
	}
	for _, b := range c.Resources {
		taken[contract.WithID(b.ID, b.With)] =
			"the constraint that keeps " + b.ID + " where " + b.With + " is"
		taken[contract.AfterID(b.ID, b.After)] = "the order of " + b.After + " and " + b.ID
	}
	for _, ip := range c.Addresses {
		if owner, ok := taken[ip.Name]; ok && ip.Name != "" {
			d.Add(ip.NameAt, "the name %s is taken: it is %s", ip.Name, owner)
		}
	}
	for _, b := range c.Resources {
		if owner, ok := taken[b.ID]; ok && b.ID != "" {
			d.Add(b.IDAt, "the resource %s belongs to no address: it is %s", b.ID, owner)
		}
	}
}

// takeNames takes the ids of the constraints of an address.
func (c *File) takeNames(d *document, ip *Address, taken map[string]string) {
	taken[contract.ColocationID(ip.Name)] = "the constraint of " + ip.Name
	taken[contract.LeavesFirstID(ip.Name)] = "the order of " + ip.Name + " and HAProxy"
	if leader := c.Leader(ip); !c.Leads(ip) {
		taken[contract.WithID(ip.Name, leader.Name)] =
			"the constraint that keeps " + ip.Name + " where " + leader.Name + " is"
		return
	}
	for id, owner := range map[string]string{
		contract.WhereServedID(ip.Name): "goes where HAProxy serves",
		contract.PrefersID(ip.Name):     "prefers nodes",
		contract.ReturnsID(ip.Name):     "goes back to better nodes",
	} {
		taken[id] = "the constraint by which " + ip.Name + " " + owner
	}
	for _, check := range c.ChecksOf(ip) {
		id := contract.CheckedID(ip.Name, check.Name)
		owner := "the constraint by which " + ip.Name + " goes where the check " + check.Name +
			" holds"
		for i, id := range []string{id, id + "-rule", id + "-rule-expression"} {
			if i > 0 {
				owner = "part of " + strings.TrimPrefix(owner, "part of ")
			}
			if before, ok := taken[id]; ok && !check.NameAt.isZero() {
				d.Add(check.NameAt, "the name %s is taken: %s is %s", check.Name, id, before)
				break
			}
			taken[id] = owner
		}
	}
}
