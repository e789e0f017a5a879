#include "proxy/command/client_config/install.hpp"

#include "tests/proxy/command/client_config/made.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/stat.h>

namespace archway::proxy {
namespace {

namespace fs = std::filesystem;

std::string text_in(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

ClientFiles one_file(const std::string& text) {
  return {.files = {{.path = "/etc/some/client.conf", .text = text}}};
}

Installing planned(const ClientFiles& files, const fs::path& root) {
  auto plans = plan_install(files, root);
  REQUIRE(plans);
  REQUIRE(plans->size() == 1);
  return plans->front();
}

TEST_CASE("a file is written, then changed with a backup each time, and left alone when it fits") {
  const test::TempDir root;
  const auto target = root.path() / "etc/some/client.conf";
  auto plan = planned(one_file("one\n"), root.path());
  CHECK(plan.target == target);
  CHECK_FALSE(plan.exists);
  CHECK(plan.backup.empty());
  CHECK_FALSE(fs::exists(root.path() / "etc"));
  REQUIRE(install(plan));
  CHECK(text_in(target) == "one\n");
  CHECK((fs::status(target).permissions() & fs::perms::all) == fs::perms(0644));

  plan = planned(one_file("one\n"), root.path());
  CHECK_FALSE(plan.changes);
  REQUIRE(install(plan));

  for (const char* text : {"two\n", "three\n"}) {
    plan = planned(one_file(text), root.path());
    CHECK(plan.exists);
    CHECK(plan.changes);
    REQUIRE(install(plan));
  }
  CHECK(text_in(target) == "three\n");
  CHECK(text_in(target.string() + ".archway-backup-1") == "one\n");
  CHECK(text_in(target.string() + ".archway-backup-2") == "two\n");
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(target.parent_path())) files += entry.exists();
  CHECK(files == 3);
}

TEST_CASE("a changed file keeps its mode") {
  const test::TempDir root;
  const auto target = root.path() / "etc/some/client.conf";
  fs::create_directories(target.parent_path());
  root.write("etc/some/client.conf", "old");
  REQUIRE(::chmod(target.c_str(), 0640) == 0);
  REQUIRE(install(planned(one_file("new"), root.path())));
  CHECK((fs::status(target).permissions() & fs::perms::all) == fs::perms(0640));
}

TEST_CASE("what is there decides, where the client says so") {
  const test::TempDir root;
  fs::create_directories(root.path() / "etc/some");
  root.write("etc/some/client.conf", "theirs");
  auto files = one_file("ours");
  files.files[0].combine = [](const std::string& existing) -> Result<std::string> {
    return existing + " and ours";
  };
  CHECK(planned(files, root.path()).text == "theirs and ours");
  files.files[0].combine = only_ours("/etc/some/client.conf", "ours");
  CHECK_FALSE(plan_install(files, root.path()));
  CHECK(text_in(root.path() / "etc/some/client.conf") == "theirs");
}

TEST_CASE("files that are better left alone are") {
  struct Row {
    const char* why;
    void (*prepare)(const fs::path& target);
    const char* want;
  };
  const Row rows[] = {
      {"a link", [](const fs::path& target) { fs::create_symlink("/nowhere", target); },
       "is no regular file"},
      {"a folder", [](const fs::path& target) { fs::create_directory(target); },
       "is no regular file"},
      {"a file far too large",
       [](const fs::path& target) {
         std::ofstream(target).put('a');
         fs::resize_file(target, 2 * 1024 * 1024);
       },
       "client.conf"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const test::TempDir root;
    const auto target = root.path() / "etc/some/client.conf";
    fs::create_directories(target.parent_path());
    row.prepare(target);
    const auto plans = plan_install(one_file("ours"), root.path());
    REQUIRE_FALSE(plans);
    CHECK(plans.error().code == Errc::configuration_invalid);
    CHECK(plans.error().message.find(row.want) != std::string::npos);
  }
  const auto talos = plan_install(files_of(talos_files(wish_for())), "/");
  REQUIRE_FALSE(talos);
  CHECK(talos.error().message.find("no file on the machine to install") != std::string::npos);
}

TEST_CASE("what cannot be written is said, and nothing is lost") {
  const test::TempDir root;
  root.write("etc", "a file where a folder should be");
  const auto done = install(planned(one_file("ours"), root.path()));
  REQUIRE_FALSE(done);
  CHECK(done.error().code == Errc::storage_failed);
  CHECK(done.error().message.starts_with("cannot make the folder "));
  CHECK(text_in(root.path() / "etc") == "a file where a folder should be");
}

}  // namespace
}  // namespace archway::proxy
