// Package systemd asks this machine's systemd about units, and has it put processes into scopes. It
// speaks D-Bus with PID 1 itself, so it works without a message bus; users other than root go
// through the system bus.
//
// Every call has a deadline of its own besides the caller's: systemd may hang, and nothing here is
// worth waiting for.
//
// It imports internal/ownpath. Open systemd.go first.
package systemd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// ErrAbsent says that systemd does not run this machine (or container).
var ErrAbsent = errors.New("systemd does not run here")

// patience is how long one conversation may take.
const patience = 2 * time.Second

// bootedDir exists if and only if systemd is PID 1 (sd_booted(3)).
const bootedDir = "/run/systemd/system"

// Booted says whether systemd runs this machine.
func Booted() bool {
	st, err := os.Lstat(bootedDir)
	return err == nil && st.IsDir()
}

// Unit is what systemd says about a unit.
type Unit struct {
	Name string
	// Load is "loaded", "not-found", "masked" …
	Load string
	// Active is "active", "activating", "reloading", "deactivating", "inactive" or "failed"; empty
	// if systemd does not run.
	Active string
	// File is "enabled", "enabled-runtime", "disabled", "static", "masked" …, as systemctl
	// is-enabled says; empty if there is none.
	File string
	// MainPID is the service's main process, 0 if there is none.
	MainPID int
}

// Enabled says whether the next boot starts it.
func (u Unit) Enabled() bool { return u.File == "enabled" || u.File == "enabled-runtime" }

// Runs says whether it runs, or is about to.
func (u Unit) Runs() bool {
	switch u.Active {
	case "active", "activating", "reloading", "refreshing", "deactivating":
		return true
	}
	return false
}

// Disable is the command that stops it now and keeps it from starting at boot.
func (u Unit) Disable() string { return "systemctl disable --now " + u.Name }

// Find describes a unit. If systemd does not run, as in a container, it goes by what the links in
// /etc/systemd/system enable.
func Find(ctx context.Context, name string) (Unit, error) {
	u := Unit{Name: name}
	if !Booted() {
		links, err := filepath.Glob("/etc/systemd/system/*.wants/" + name)
		if err == nil && len(links) > 0 {
			u.File = "enabled"
		}
		return u, nil
	}
	c, err := dial(ctx)
	if err != nil {
		return u, fmt.Errorf("systemd cannot be asked about %s: %w", name, err)
	}
	defer c.close()
	unit := c.unit(name)
	var main uint32
	for property, into := range map[string]any{
		"Unit.LoadState": &u.Load, "Unit.ActiveState": &u.Active,
	} {
		if err := c.property(unit, property, into); err != nil {
			return u, fmt.Errorf("systemd does not say what %s does: %w", name, err)
		}
	}
	if strings.HasSuffix(name, ".service") && u.Load == "loaded" {
		if err := c.property(unit, "Service.MainPID", &main); err != nil {
			return u, fmt.Errorf("systemd does not say what %s does: %w", name, err)
		}
	}
	u.MainPID = int(main)
	// Not the unit's property UnitFileState, which is as old as the last daemon-reload.
	var fault dbus.Error
	err = c.call(manager, "Manager.GetUnitFileState", name).Store(&u.File)
	if err != nil &&
		(!errors.As(err, &fault) || fault.Name != "org.freedesktop.DBus.Error.FileNotFound") {
		return u, fmt.Errorf("systemd does not say whether %s is enabled: %w", name, err)
	}
	return u, nil
}

// conn is a conversation with systemd.
type conn struct {
	*dbus.Conn
	ctx    context.Context //nolint:containedctx // a conversation is one call of the package
	cancel context.CancelFunc
}

const (
	busName = "org.freedesktop.systemd1"
	manager = dbus.ObjectPath("/org/freedesktop/systemd1")
)

// dial begins a conversation. The deadline is the socket's too, so that a systemd that hangs in the
// middle of an answer is given up.
func dial(ctx context.Context) (*conn, error) {
	if !Booted() {
		return nil, ErrAbsent
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	path := "/run/systemd/private"
	if os.Geteuid() != 0 {
		path = "/run/dbus/system_bus_socket"
	}
	var d net.Dialer
	socket, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		cancel()
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	_ = socket.SetDeadline(deadline)
	bus, err := dbus.NewConn(socket, dbus.WithContext(ctx))
	if err == nil {
		err = bus.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Geteuid()))})
	}
	if err == nil && os.Geteuid() != 0 {
		err = bus.Hello()
	}
	if err != nil {
		cancel()
		_ = socket.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &conn{bus, ctx, cancel}, nil
}

func (c *conn) close() {
	_ = c.Close()
	c.cancel()
}

// call calls a method of one of systemd's interfaces: "Manager.StartUnit".
func (c *conn) call(path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	return c.Object(busName, path).CallWithContext(c.ctx, busName+"."+method, 0, args...)
}

func (c *conn) property(path dbus.ObjectPath, name string, into any) error {
	at := strings.LastIndexByte(name, '.')
	call := c.Object(busName, path).CallWithContext(c.ctx, "org.freedesktop.DBus.Properties.Get", 0,
		busName+"."+name[:at], name[at+1:])
	var v dbus.Variant
	if err := call.Store(&v); err != nil {
		return err
	}
	return v.Store(into)
}

// all returns the properties of one of a unit's interfaces.
func (c *conn) all(path dbus.ObjectPath, iface string) (map[string]dbus.Variant, error) {
	var values map[string]dbus.Variant
	err := c.Object(busName, path).CallWithContext(c.ctx, "org.freedesktop.DBus.Properties.GetAll",
		0, busName+"."+iface).Store(&values)
	return values, err
}

// unit is the object of a unit, which systemd loads when it is asked for it: sd_bus_path_encode(3).
func (c *conn) unit(name string) dbus.ObjectPath {
	var b strings.Builder
	for i := range len(name) {
		if ch := name[i]; ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' ||
			ch >= '0' && ch <= '9' && i > 0 {
			b.WriteByte(ch)
		} else {
			fmt.Fprintf(&b, "_%02x", ch)
		}
	}
	return manager + "/unit/" + dbus.ObjectPath(b.String())
}
