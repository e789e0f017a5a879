// The rules that no compiler checks, checked: layers, who may include which library, where co_await
// may stand, file length, a README in each folder. A rule in prose is forgotten; one that names
// file and line is kept.

#include "tests/support/source_dir.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

constexpr std::size_t file_lines_max = 350;

/// Folder -> what its files may include of ours. The longest folder that fits a file counts.
const std::map<std::string, std::vector<std::string>> floors{
    {"resolver/model", {"resolver/model/"}},
    {"resolver", {"resolver/"}},
    {"metrics", {"metrics/"}},
    {"cache", {"cache/", "metrics/", "resolver/model/"}},
    {"proxy", {"proxy/", "cache/", "metrics/", "resolver/"}},
};

/// Library -> the only places that may include it.
struct Fence {
  const char* header;
  std::vector<std::string> allowed;
};
const std::vector<Fence> fences{
    {"<boost/beast", {"proxy/http/", "proxy/upstream/"}},
    {"<boost/asio", {"proxy/"}},
    {"<boost/json", {"proxy/"}},
    {"<boost/url", {"proxy/"}},
    {"<boost/regex", {"resolver/rewrite.cpp"}},
    {"<boost/", {"proxy/"}},
    {"<lmdb.h>", {"cache/lmdb.", "cache/lmdb_"}},
    {"<simdjson.h>", {"resolver/index_bytes.cpp", "resolver/manifest.cpp"}},
    {"<prometheus/", {"metrics/"}},
    {"<spdlog/", {"metrics/"}},
    {"<fmt/", {"metrics/"}},
    {"<yaml-cpp/", {"proxy/config/"}},
    {"<CLI/", {"proxy/command/"}},
    {"<regex>", {}},
};

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool starts_with_any(std::string_view text, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const auto& prefix) { return text.starts_with(prefix); });
}

/// `auto x = co_await f(a, b);`, `co_return co_await f();` or `co_await f();` and nothing fancier:
/// g++ 12 miscompiles co_await in conditions, and destroys twice the temporaries (lambdas with
/// captures, braced structs) made in the same expression. Naming them first avoids both.
bool awaits_plainly(std::string_view statement) {
  const auto at = statement.find("co_await");
  const auto before = trim(statement.substr(0, at));
  const auto after = statement.substr(at + 8);
  const bool whole_statement = before.empty() || before == "co_return";
  const bool initialiser = before.ends_with('=') && !before.starts_with("if") &&
                           !before.starts_with("while") && !before.starts_with("for");
  return (whole_statement || initialiser) && after.find_first_of("{[?") == std::string_view::npos &&
         after.find("co_await") == std::string_view::npos;
}

/// The statement that begins on line `i` or is continued on it: joined to its semicolon or brace.
std::string statement_at(const Lines& lines, std::size_t i) {
  const auto code = [&](std::size_t at) {
    return std::string(trim(std::string_view(lines[at]).substr(0, lines[at].find("//"))));
  };
  auto ends = [](const std::string& text) {
    return text.empty() || text.ends_with(';') || text.ends_with('{') || text.ends_with('}') ||
           text.ends_with(':');
  };
  std::size_t first = i;
  while (first > 0 && !ends(code(first - 1)) && !code(first - 1).starts_with("#")) --first;
  std::string statement;
  for (std::size_t at = first; at < lines.size(); ++at) {
    statement += code(at) + " ";
    if (ends(code(at)) && at >= i) break;
  }
  // `while (…) co_await …;` and `if (…) co_await …;` keep the await a statement of its own.
  const auto await = statement.find("co_await");
  for (const std::string_view control : {"if (", "while (", "for ("}) {
    if (!statement.starts_with(control)) continue;
    int depth = 0;
    for (std::size_t at = control.size() - 1; at < await && at < statement.size(); ++at) {
      depth += statement[at] == '(' ? 1 : statement[at] == ')' ? -1 : 0;
      if (depth == 0) return std::string(trim(std::string_view(statement).substr(at + 1)));
    }
  }
  if (statement.starts_with("else ")) return statement.substr(5);
  return statement;
}

/// A coroutine keeps its parameters across suspensions, so it may not take what it does not own.
/// clang-tidy sees references; views look like values to it, so they are caught here.
bool borrows(std::string_view line) {
  const auto at = line.find("awaitable<");
  if (at == std::string_view::npos || line.find('(', at) == std::string_view::npos) return false;
  const auto signature = line.substr(at);
  return signature.find("string_view") != std::string_view::npos ||
         signature.find("span<") != std::string_view::npos;
}

std::string floor_of(std::string_view path) {
  std::string best;
  for (const auto& [folder, allowed] : floors) {
    if (path.starts_with(folder + "/") && folder.size() > best.size()) best = folder;
  }
  return best;
}

std::vector<std::string> broken_includes(std::string_view path, std::string_view line) {
  std::vector<std::string> broken;
  if (line.starts_with("#include \"")) {
    const auto included = line.substr(10, line.rfind('"') - 10);
    if (!starts_with_any(included, floors.at(floor_of(path)))) {
      broken.push_back(floor_of(path) + " may not include " + std::string(included));
    }
  }
  if (!line.starts_with("#include <")) return broken;
  const auto included = line.substr(9);
  for (const auto& fence : fences) {
    if (!included.starts_with(fence.header)) continue;
    if (!starts_with_any(path, fence.allowed)) {
      broken.push_back(std::string(included) + " is not for this file");
    }
    break;  // The first fence that names the header decides.
  }
  return broken;
}

std::vector<std::string> broken_rules(const std::string& path, const Lines& lines) {
  std::vector<std::string> broken;
  if (lines.size() > file_lines_max) broken.push_back("over 350 lines: split it by idea");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto line = trim(lines[i]);
    const auto where = std::to_string(i + 1) + ": ";
    for (const auto& why : broken_includes(path, line)) broken.push_back(where + why);
    const auto code = line.substr(0, line.find("//"));
    if (code.find("co_await") != std::string_view::npos &&
        !awaits_plainly(statement_at(lines, i))) {
      broken.push_back(where + "co_await must be the whole statement or the whole initialiser");
    }
    if (code.find("detached") != std::string_view::npos) {
      broken.push_back(where + "nothing is detached: its end must be seen");
    }
    if (borrows(code)) broken.push_back(where + "a coroutine may not take a view: take a value");
  }
  return broken;
}

Lines lines_of(const fs::path& path) {
  std::ifstream file(path);
  Lines lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

const fs::path root = archway::source_dir;

TEST_CASE("house rules hold in every file") {
  int files = 0;
  for (const auto* folder : {"resolver", "metrics", "cache", "proxy"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const auto extension = entry.path().extension();
      if (extension != ".hpp" && extension != ".cpp") continue;
      ++files;
      const auto path = fs::relative(entry.path(), root).string();
      for (const auto& rule : broken_rules(path, lines_of(entry.path()))) {
        FAIL_CHECK(path << ":" << rule);
      }
    }
  }
  CHECK(files > 100);
}

TEST_CASE("every folder says what belongs in it") {
  for (const auto* top : {"resolver", "metrics", "cache", "proxy", "tests", "helm"}) {
    CAPTURE(top);
    CHECK(fs::exists(root / top / "README.md"));
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      if (!entry.is_directory()) continue;
      const auto folder = fs::relative(entry.path(), root).string();
      if (!folder.starts_with("proxy/") && folder != "resolver/model") continue;
      CAPTURE(folder);
      CHECK(fs::exists(entry.path() / "README.md"));
    }
  }
}

TEST_CASE("house rules catch what they are there for") {
  CHECK(broken_rules("cache/a.cpp", {"#include \"proxy/config.hpp\""}).size() == 1);
  CHECK(broken_rules("cache/a.cpp", {"#include \"resolver/verdict.hpp\""}).size() == 1);
  CHECK(broken_rules("cache/a.cpp", {"#include \"resolver/model/digest.hpp\""}).empty());
  CHECK(broken_rules("resolver/model/a.cpp", {"#include \"resolver/route.hpp\""}).size() == 1);
  CHECK(broken_rules("proxy/pull/a.cpp", {"#include <boost/beast/http.hpp>"}).size() == 1);
  CHECK(broken_rules("proxy/http/a.cpp", {"#include <boost/beast/http.hpp>"}).empty());
  CHECK(broken_rules("resolver/rewrite.cpp", {"#include <boost/regex.hpp>"}).empty());
  CHECK(broken_rules("proxy/a.cpp", {"#include <boost/regex.hpp>"}).size() == 1);
  CHECK(broken_rules("cache/index.cpp", {"#include <lmdb.h>"}).size() == 1);
  CHECK(broken_rules("cache/a.cpp", {"#include <boost/asio/post.hpp>"}).size() == 1);
  CHECK(broken_rules("proxy/a.cpp", Lines(file_lines_max + 1)).size() == 1);
  CHECK(broken_rules("proxy/a.cpp", {"net::awaitable<int> f(std::string_view name);"}).size() == 1);
  CHECK(broken_rules("proxy/a.cpp", {"net::awaitable<int> f(std::string name);"}).empty());
  CHECK(broken_rules("proxy/a.cpp", {"net::co_spawn(x, f(), net::detached);"}).size() == 1);
}

TEST_CASE("house rules know a plain co_await from a fancy one") {
  for (const char* good :
       {"co_await f(x);", "auto [ec, n] = co_await f(std::move(x));", "co_return co_await g();",
        "while (!done()) co_await f(x);", "if (x) co_return co_await f(x);",
        "const Result<int> x = co_await f(x);"}) {
    CAPTURE(good);
    CHECK(broken_rules("proxy/a.cpp", {good}).empty());
  }
  for (const char* bad :
       {"if (co_await f()) {", "if (auto r = co_await f(); !r) return;", "h(co_await f());",
        "auto x = c ? co_await f() : 0;", "co_await f(Options{.a = 1});",
        "while (co_await f()) g();", "co_await f([x] { return x; });",
        "auto n = co_await f() + co_await g();"}) {
    CAPTURE(bad);
    CHECK(broken_rules("proxy/a.cpp", {bad}).size() == 1);
  }
  const Lines continued{"const auto x =", "    co_await f(a,", "               b);"};
  CHECK(broken_rules("proxy/a.cpp", continued).empty());
  const Lines hidden{"co_await f(a,", "           Options{.b = 1});"};
  CHECK(broken_rules("proxy/a.cpp", hidden).size() == 1);
}

}  // namespace
