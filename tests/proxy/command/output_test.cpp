#include "proxy/command/output.hpp"

#include "tests/proxy/command/running.hpp"

#include <CLI/App.hpp>
#include <doctest/doctest.h>
#include <sstream>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("sizes are written for people") {
  struct Row {
    std::uint64_t bytes;
    const char* want;
  };
  const Row rows[] = {{0, "0 B"},
                      {1023, "1023 B"},
                      {1024, "1.0 KiB"},
                      {12'900'000, "12.3 MiB"},
                      {1024 * 1024 - 1, "1.0 MiB"},
                      {50ULL << 30, "50.0 GiB"},
                      {1ULL << 50, "1024.0 TiB"}};
  for (const Row& row : rows) CHECK(human_size(row.bytes) == row.want);
}

TEST_CASE("what is counted has its plural") {
  CHECK(counted(0, "problem") == "0 problems");
  CHECK(counted(1, "problem") == "1 problem");
  CHECK(counted(2, "problem") == "2 problems");
}

TEST_CASE("a table has aligned columns on a terminal, tabs elsewhere") {
  Table table({"PLATFORM", "SIZE", "NOTE"});
  table.row({"linux/arm64", "12.3 MiB", "fits"});
  table.row({"ünicode", "1 B", ""});
  table.row({"short"});
  CHECK(table.str(true) ==
        "PLATFORM         SIZE  NOTE\n"
        "linux/arm64  12.3 MiB  fits\n"
        "ünicode           1 B\n"
        "short\n");
  CHECK(table.str(false) == "linux/arm64\t12.3 MiB\tfits\nünicode\t1 B\t\nshort\t\t\n");
  CHECK(Table({"A", "B"}).str(true) == "A  B\n");
  CHECK(Table({"A", "B"}).str(false).empty());
}

TEST_CASE("only columns of numbers are aligned to the right") {
  struct Row {
    const char* why;
    const char* cell;
    bool right;
  };
  const Row rows[] = {{"a count", "17", true},         {"a size", "1.5 GiB", true},
                      {"a version", "1.2.3", false},   {"a number and a word", "3 layers", false},
                      {"a digest", "4eb3c073", false}, {"a word", "none", false}};
  for (const Row& row : rows) {
    CAPTURE(row.why);
    Table table({"A TITLE THAT IS LONG"});
    table.row({row.cell});
    const auto text = table.str(true);
    CHECK((text.substr(text.find('\n') + 1).front() == ' ') == row.right);
  }
}

TEST_CASE("colours are for terminals alone, and nobody needs to bear them") {
  struct Row {
    const char* why;
    bool terminal;
    bool no_color_option;
    std::optional<std::string> no_color;
    bool want;
  };
  const Row rows[] = {{"a terminal", true, false, std::nullopt, true},
                      {"a pipe", false, false, std::nullopt, false},
                      {"--no-color", true, true, std::nullopt, false},
                      {"NO_COLOR", true, false, "1", false},
                      {"an empty NO_COLOR says nothing", true, false, "", true}};
  for (const Row& row : rows) {
    CAPTURE(row.why);
    std::ostringstream stream;
    Environment environment;
    environment.variable = [&](const std::string&) { return row.no_color; };
    const Surroundings surroundings{.out = stream,
                                    .err = stream,
                                    .environment = environment,
                                    .serve = {},
                                    .out_is_terminal = row.terminal};
    const OutputOptions options{.no_color = row.no_color_option};
    const auto text = coloured("ok", Colour::green, surroundings, options);
    CHECK(text == (row.want ? "\x1b[32mok\x1b[0m" : "ok"));
  }
}

TEST_CASE("an error has the exit code of what it means to the shell") {
  struct Row {
    Errc code;
    int want;
  };
  const Row rows[] = {{Errc::manifest_unknown, 3},       {Errc::blob_unknown, 3},
                      {Errc::name_unknown, 3},           {Errc::upstream_unreachable, 4},
                      {Errc::configuration_invalid, 78}, {Errc::denied, 1},
                      {Errc::upstream_failed, 1},        {Errc::storage_failed, 1}};
  for (const Row& row : rows) {
    CAPTURE(name(row.code));
    std::ostringstream out;
    std::ostringstream err;
    const Surroundings surroundings{
        .out = out, .err = err, .environment = environment_of_test(), .serve = {}};
    const Error error{.code = row.code, .message = "it is so", .context = "errno 5"};
    CHECK(report(surroundings, "manifest push", error) == row.want);
    CHECK(err.str() == "archway manifest push: it is so\n");
    CHECK(report(surroundings, "x", error, true) == row.want);
    CHECK(err.str().ends_with("archway x: it is so\n  (errno 5)\n"));
    CHECK(out.str().empty());
  }
}

TEST_CASE("progress is one line that is written over, on a terminal alone") {
  struct Row {
    const char* why;
    bool terminal;
    bool quiet;
    const char* want;
  };
  const Row rows[] = {{"a terminal", true, false, "\rten of it\rone      \r         \r"},
                      {"a pipe", false, false, ""},
                      {"--quiet", true, true, ""}};
  for (const Row& row : rows) {
    CAPTURE(row.why);
    std::ostringstream err;
    const Surroundings surroundings{.out = err,
                                    .err = err,
                                    .environment = environment_of_test(),
                                    .serve = {},
                                    .err_is_terminal = row.terminal};
    {
      Progress progress(surroundings, OutputOptions{.quiet = row.quiet});
      progress.show("ten of it");
      progress.show("one");
    }
    CHECK(err.str() == row.want);
  }
}

}  // namespace
}  // namespace archway::proxy
