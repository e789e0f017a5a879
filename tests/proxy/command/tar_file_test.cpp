#include "proxy/command/tar_file.hpp"

#include "tests/support/temp_dir.hpp"

#include <cstdio>
#include <doctest/doctest.h>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

namespace fs = std::filesystem;

const std::string short_blob = "blobs/sha256/" + std::string(64, 'a');
const std::string long_blob = "blobs/sha512/" + std::string(128, 'b');

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// Every file of the folder and what it holds.
std::map<std::string, std::string> files_in(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    files[entry.path().lexically_relative(folder).string()] = text.str();
  }
  return files;
}

std::string padded(std::string text) {
  text.resize((text.size() + 511) / 512 * 512, '\0');
  return text;
}

/// One file of a tar as another program would write it.
std::string entry(const std::string& name, const std::string& bytes, char kind = '0') {
  std::string head(512, '\0');
  head.replace(0, name.size(), name);
  char number[13] = {};
  std::snprintf(number, sizeof(number), "%011zo", bytes.size());
  head.replace(124, 11, number);
  head[156] = kind;
  head.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : head) sum += static_cast<unsigned char>(c);
  std::snprintf(number, sizeof(number), "%06o", sum);
  head.replace(148, 7, std::string(number) + '\0');
  return head + padded(bytes);
}

const std::string end(1024, '\0');

TEST_CASE("what is packed comes out as it was, and nothing else goes in") {
  const test::TempDir dir;
  const auto folder = dir.path() / "layout";
  const std::map<std::string, std::string> files{{"index.json", "{}"},
                                                 {"oci-layout", std::string(512, 'v')},
                                                 {short_blob, std::string(3'000'000, 'x')},
                                                 {long_blob, ""}};
  for (const auto& [name, text] : files) write(folder / name, text);
  write(folder / "letter.txt", "dear");
  write(folder / (short_blob + ".part"), "half");
  const auto tar = dir.path() / "layout.tar";
  REQUIRE(pack_tar(folder, tar));
  CHECK(fs::file_size(tar) % 512 == 0);
  const auto out = dir.path() / "out";
  fs::create_directory(out);
  REQUIRE(unpack_tar(tar, out));
  CHECK(files_in(out) == files);
}

TEST_CASE("names and sizes are read as other programs write them") {
  struct Row {
    const char* why;
    std::string tar;
    std::string name;
  };
  const std::string record = "path=" + long_blob + "\n";
  const auto pax = std::to_string(record.size() + 4) + " " + record + "9 size=2\n";
  for (const auto& row : {
           Row{"plain", entry("index.json", "hi") + end, "index.json"},
           Row{"below the folder", entry("./index.json", "hi") + end, "index.json"},
           Row{"the oldest kind of file", entry("index.json", "hi", '\0') + end, "index.json"},
           Row{"no end", entry("index.json", "hi"), "index.json"},
           Row{"GNU's long name",
               entry("././@LongLink", long_blob + '\0', 'L') + entry("blobs/cut", "hi") + end,
               long_blob},
           Row{"extended fields", entry("PaxHeaders/x", pax, 'x') + entry("blobs/cut", "hi") + end,
               long_blob},
           Row{"folders and links between",
               entry("blobs/", "", '5') + entry("blobs/link", "", '2') + entry("index.json", "hi") +
                   end,
               "index.json"},
       }) {
    CAPTURE(row.why);
    const test::TempDir dir;
    write(dir.path() / "a.tar", row.tar);
    const auto out = dir.path() / "out";
    fs::create_directory(out);
    REQUIRE(unpack_tar(dir.path() / "a.tar", out));
    CHECK(files_in(out) == std::map<std::string, std::string>{{row.name, "hi"}});
  }
}

TEST_CASE("no name leads out of the folder, and what belongs to no layout stays out") {
  const test::TempDir dir;
  std::string tar;
  for (const char* const name :
       {"../evil", "/tmp/evil", "blobs/../../evil", "blobs/sha256/../../evil", "blobs/sha256/", "",
        "manifest.json", "index.json/../evil", "./../evil", "blobs/md5/00"}) {
    tar += entry(name, "evil");
  }
  tar += entry("index.json", "../evil", '2') + entry("PaxHeaders/x", "20 path=../evil\n", 'x') +
         entry("index.json", "evil");
  write(dir.path() / "a" / "a.tar", tar + end);
  const auto out = dir.path() / "a" / "out";
  fs::create_directory(out);
  REQUIRE(unpack_tar(dir.path() / "a" / "a.tar", out));
  CHECK(files_in(out).empty());
  CHECK(files_in(dir.path()).size() == 1);
}

TEST_CASE("a file that is no whole tar is refused with its reason") {
  const auto whole = entry("index.json", std::string(2'000, 'x')) + end;
  auto damaged = whole;
  damaged[3] = 'X';
  struct Row {
    const char* why;
    std::string tar;
  };
  for (const auto& row :
       {Row{"empty", ""}, Row{"text", "dear"}, Row{"all zero", end}, Row{"a damaged head", damaged},
        Row{"half a head", whole.substr(0, 300)}, Row{"half a file", whole.substr(0, 1'500)},
        Row{"an endless name", entry("L", std::string(70'000, 'x'), 'L') + whole}}) {
    CAPTURE(row.why);
    const test::TempDir dir;
    write(dir.path() / "a.tar", row.tar);
    const auto unpacked = unpack_tar(dir.path() / "a.tar", dir.path());
    REQUIRE_FALSE(unpacked);
    CHECK(unpacked.error().code == Errc::request_invalid);
    CHECK(unpacked.error().message.find("a.tar is no whole tar file: ") != std::string::npos);
  }
  const test::TempDir dir;
  CHECK(unpack_tar(dir.path() / "none.tar", dir.path()).error().code == Errc::storage_failed);
}

}  // namespace
}  // namespace archway::proxy
