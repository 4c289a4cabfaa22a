package fleet_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// command is what systemd runs for the ExecStart of a unit: its words, by the rules of
// systemd.syntax(7) and of "COMMAND LINES" in systemd.service(5). What depends on the
// machine or on the environment ($, %) is an error, as no shipped unit wants that.
func command(unit string) ([]string, error) {
	value, found, continued := "", false, false
	for line := range strings.Lines(unit) {
		line = strings.TrimRight(line, "\n")
		if trimmed := strings.TrimLeft(line, " \t"); strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";") {
			continue // a comment, even between the lines of one value
		}
		if !continued {
			if line, continued = strings.CutPrefix(line, "ExecStart="); !continued {
				continue
			}
			if found {
				return nil, errors.New("there are two ExecStart")
			}
			found = true
		}
		line, continued = strings.CutSuffix(line, `\`)
		value += line + " "
	}
	words, err := split(value)
	if err == nil && len(words) == 0 {
		err = errors.New("no ExecStart")
	}
	return words, err
}

// escapes are those of systemd.syntax(7) that stand for one character.
var escapes = map[byte]byte{'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', 's': ' ', '\\': '\\', '"': '"', '\'': '\''}

// split takes the words of a command apart. Quotes are taken away wherever they stand.
func split(value string) (words []string, err error) {
	var word []byte
	var quote byte
	begun := false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\':
			i++
			if i == len(value) || escapes[value[i]] == 0 {
				return nil, fmt.Errorf("a backslash that is no escape: %s", value[i-1:])
			}
			word, begun = append(word, escapes[value[i]]), true
		case c == '$' || c == '%':
			if i++; i == len(value) || value[i] != c {
				return nil, fmt.Errorf("%c has to be doubled: %s", c, value[i-1:])
			}
			word, begun = append(word, c), true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, begun = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if begun {
				words = append(words, string(word))
			}
			word, begun = nil, false
		default:
			word, begun = append(word, c), true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote without an end: %s", value)
	}
	if slices.Contains(words, ";") {
		return nil, fmt.Errorf("two commands: %s", value)
	}
	return words, nil
}

// argumentsOf are the arguments of a unit of deploy/victorialogs, with other values for
// some flags.
func argumentsOf(t *testing.T, file string, values map[string]string) []string {
	t.Helper()
	words, err := command(read(t, "deploy/victorialogs/"+file))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	arguments, replaced := words[1:], 0
	for i, a := range arguments {
		name, _, _ := strings.Cut(a, "=")
		if value, ok := values[name]; ok {
			arguments[i] = name + "=" + value
			replaced++
		}
	}
	if replaced != len(values) {
		t.Fatalf("%s has not all of %v: %q", file, values, arguments)
	}
	return arguments
}

// bySystemd are the words of the command that systemd itself makes of a unit, without the
// first. It prints them quoted, as for a shell.
func bySystemd(t *testing.T, analyze, file string) []string {
	t.Helper()
	words, err := command(read(t, "deploy/victorialogs/"+file))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	dir := t.TempDir()
	stand := filepath.Join(dir, "stand-in")
	if err := os.WriteFile(stand, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(dir, file)
	text := strings.Replace(read(t, "deploy/victorialogs/"+file), "ExecStart="+words[0], "ExecStart="+stand, 1)
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	verify := exec.Command(analyze, "verify", unit)
	verify.Env = append(os.Environ(), "SYSTEMD_LOG_LEVEL=debug")
	out, _ := verify.CombinedOutput()
	_, line, ok := strings.Cut(string(out), "Command Line: "+stand+" ")
	if !ok {
		t.Fatalf("systemd-analyze verify %s shows no command:\n%s", file, out)
	}
	line, _, _ = strings.Cut(line, "\n")
	var shown []string
	for line != "" {
		var word string
		if quoted, err := strconv.QuotedPrefix(line); err == nil && line[0] == '"' {
			word, line = quoted, line[len(quoted):]
			if word, err = strconv.Unquote(word); err != nil {
				t.Fatalf("%s: %v", quoted, err)
			}
		} else {
			word, line, _ = strings.Cut(line, " ")
		}
		shown, line = append(shown, word), strings.TrimPrefix(line, " ")
	}
	return shown
}

// systemd hands each program the arguments that the file means: what is in braces is JSON
// still. Where systemd is installed, it is asked as well.
func TestTheUnitsOfTheStoreSayWhatSystemdRuns(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not installed: the rules of systemd.syntax(7) alone")
	}
	files, err := filepath.Glob("../../deploy/victorialogs/*.service")
	if err != nil || len(files) != 3 {
		t.Fatalf("%d units, %v", len(files), err)
	}
	objects := 0
	for _, path := range files {
		file := filepath.Base(path)
		arguments := argumentsOf(t, file, nil)
		for _, a := range arguments {
			if name, value, _ := strings.Cut(a, "="); strings.Contains(value, "{") {
				var fields map[string]string
				if err := json.Unmarshal([]byte(value), &fields); err != nil || len(fields) == 0 {
					t.Errorf("%s: the program gets %s=%s, which is no JSON: %v", file, name, value, err)
				}
				objects++
			}
		}
		if analyze == "" {
			continue
		}
		if shown := bySystemd(t, analyze, file); !slices.Equal(shown, arguments) {
			t.Errorf("%s: systemd runs\n%q\nwhere the rules of this test have\n%q", file, shown, arguments)
		}
	}
	if objects == 0 {
		t.Error("no unit gives a program JSON: this test has nothing to check")
	}
}

func TestWordsAreTakenApartAsSystemdDoes(t *testing.T) {
	for value, want := range map[string][]string{
		`a  b`:              {"a", "b"},
		`-x={"a":"b"} `:     {`-x={a:b}`},
		`'-x={"a":"b"}' c `: {`-x={"a":"b"}`, "c"},
		`"-x={\"a\"}" `:     {`-x={"a"}`},
		`a\sb '' `:          {"a b", ""},
		`100%% $$x `:        {"100%", "$x"},
		`$x `:               nil,
		`%i `:               nil,
		`\d `:               nil,
		`'a `:               nil,
		`a ; b `:            nil,
	} {
		words, err := split(value + " ")
		if (err != nil) != (want == nil) || !slices.Equal(words, want) {
			t.Errorf("%s: %q, %v; want %q", value, words, err, want)
		}
	}
}
