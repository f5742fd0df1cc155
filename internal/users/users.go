// Package users finds users and groups as this machine's name service knows them. A program that is
// linked statically reads /etc/passwd and /etc/group by itself, and nothing else: it knows nobody of a
// directory such as LDAP. So whoever is not found there is asked of getent(1).
//
// It imports internal/command. Start reading here; exec.go runs getent.
package users

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"strconv"
	"strings"
)

// User is a user with the groups that he is in.
type User struct {
	UID, GID uint32
	Groups   []uint32
}

// Service is the name service. The zero value is this machine's.
type Service struct {
	// Getent is the program that asks it, "" for the system's.
	Getent string
}

// User finds a user by name. One of /etc/passwd has the groups of /etc/group.
func (s Service) User(ctx context.Context, name string) (User, error) {
	u, err := user.Lookup(name)
	var unknown user.UnknownUserError
	if errors.As(err, &unknown) {
		return s.ask(ctx, name)
	}
	if err != nil {
		return User{}, fmt.Errorf("user %s: %w", name, err)
	}
	found, err := numbers(name, u.Uid, u.Gid)
	if err != nil {
		return User{}, err
	}
	groups, err := u.GroupIds()
	if err != nil {
		return User{}, fmt.Errorf("the groups of the user %s: %w", name, err)
	}
	found.Groups = ids(groups)
	return found, nil
}

// ask asks the name service for a user who is not in /etc/passwd.
func (s Service) ask(ctx context.Context, name string) (User, error) {
	entry, err := s.getent(ctx, "passwd", name)
	if err != nil {
		return User{}, fmt.Errorf("user %s: %w", name, err)
	}
	fields := strings.Split(entry, ":") // name:password:uid:gid:…
	if len(fields) < 4 {
		return User{}, fmt.Errorf("user %s: the name service's answer %.60q is not understood", name,
			entry)
	}
	found, err := numbers(name, fields[2], fields[3])
	if err != nil {
		return User{}, err
	}
	groups, err := s.getent(ctx, "initgroups", name) // "name 1001 1002"
	if err != nil {
		return User{}, fmt.Errorf("the groups of the user %s: %w", name, err)
	}
	found.Groups = []uint32{found.GID}
	if words := strings.Fields(groups); len(words) > 0 {
		found.Groups = append(found.Groups, ids(words[1:])...)
	}
	return found, nil
}

// Group finds a group's id by its name.
func (s Service) Group(ctx context.Context, name string) (uint32, error) {
	g, err := user.LookupGroup(name)
	var unknown user.UnknownGroupError
	var id string
	switch {
	case err == nil:
		id = g.Gid
	case !errors.As(err, &unknown):
		return 0, fmt.Errorf("group %s: %w", name, err)
	default:
		entry, err := s.getent(ctx, "group", name)
		if err != nil {
			return 0, fmt.Errorf("group %s: %w", name, err)
		}
		if fields := strings.Split(entry, ":"); len(fields) > 2 { // name:password:gid:…
			id = fields[2]
		}
	}
	n, err := strconv.ParseUint(id, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("group %s has the id %q", name, id)
	}
	return uint32(n), nil
}

func numbers(name, uid, gid string) (User, error) {
	u, err := strconv.ParseUint(uid, 10, 32)
	if err != nil {
		return User{}, fmt.Errorf("user %s has the id %q", name, uid)
	}
	g, err := strconv.ParseUint(gid, 10, 32)
	if err != nil {
		return User{}, fmt.Errorf("user %s has the group %q", name, gid)
	}
	return User{UID: uint32(u), GID: uint32(g)}, nil
}

func ids(words []string) []uint32 {
	var all []uint32
	for _, word := range words {
		if id, err := strconv.ParseUint(word, 10, 32); err == nil {
			all = append(all, uint32(id))
		}
	}
	return all
}
