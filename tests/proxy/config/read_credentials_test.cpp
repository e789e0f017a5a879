#include "proxy/config/password_file.hpp"
#include "proxy/config/read.hpp"
#include "tests/proxy/config/reading.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("credentials that cannot be are reported, and never repeated") {
  const BadRow rows[] = {
      {"a text", "upstreams:\n  - name: a.lan\n    credentials: me:secret\n",
       "3:18: upstreams[0].credentials: allowed: a mapping of username with one of password, "
       "password_file and password_env; or docker_config; or helper"},
      {"two ways at once",
       "upstreams:\n  - name: a.lan\n    credentials: {username: me, password: x, helper: y}\n",
       "3:18: upstreams[0].credentials: found several ways to log in; allowed: username with one "
       "of password, password_file and password_env; or docker_config; or helper; several of them "
       "as a list"},
      {"a helper that is a path",
       "upstreams:\n  - name: a.lan\n    credentials: {helper: ../bin/sh}\n",
       "3:27: upstreams[0].credentials.helper: found \"../bin/sh\"; allowed: what stands behind "
       "docker-credential- in the name of a program, such as ecr-login"},
      {"docker's configuration is not there",
       "upstreams:\n  - name: a.lan\n    credentials: {docker_config: /nowhere/config.json}\n",
       "3:34: upstreams[0].credentials.docker_config: the file /nowhere/config.json does not "
       "exist"},
      {"a list of nothing", "upstreams:\n  - name: a.lan\n    credentials: []\n",
       "3:18: upstreams[0].credentials: found an empty list; allowed: at least one entry, or leave "
       "the key out"},
      {"an entry of a list",
       "upstreams:\n  - name: a.lan\n    credentials: [{helper: x}, {username: me}]\n    access: "
       "shared\n",
       "3:32: upstreams[0].credentials[1]: found no password; allowed: one of password, "
       "password_file and password_env"},
      {"no user name", "upstreams:\n  - name: a.lan\n    credentials: {password: secret}\n",
       "3:18: upstreams[0].credentials: the key username is missing"},
      {"no password", "upstreams:\n  - name: a.lan\n    credentials: {username: me}\n",
       "3:18: upstreams[0].credentials: found no password; allowed: one of password, password_file "
       "and password_env"},
      {"two passwords",
       "upstreams:\n  - name: a.lan\n    credentials: {username: me, password: secret, "
       "password_env: SECRET}\n",
       "3:18: upstreams[0].credentials: found several passwords; allowed: one of password, "
       "password_file and password_env"},
      {"a colon in the user name",
       "upstreams:\n  - name: a.lan\n    credentials: {username: \"me:you\", password: secret}\n",
       "3:29: upstreams[0].credentials.username: a user name has no colon and no control "
       "characters"},
      {"an empty user name",
       "upstreams:\n  - name: a.lan\n    credentials: {username: \"\", password: secret}\n",
       "3:29: upstreams[0].credentials.username: found \"\"; allowed: the name to log in with"},
      {"an empty password",
       "upstreams:\n  - name: a.lan\n    credentials: {username: me, password: \"\"}\n",
       "3:43: upstreams[0].credentials.password: found \"\"; allowed: a text that is not empty"},
      {"a list for a password",
       "upstreams:\n  - name: a.lan\n    credentials: {username: me, password: [secret]}\n",
       "3:43: upstreams[0].credentials.password: found a list; allowed: a text that is not empty"},
      {"a line end in the password",
       "upstreams:\n  - name: a.lan\n    credentials: {username: me, password: \"se\\ncret\"}\n",
       "3:18: upstreams[0].credentials: the password has line ends or other control characters in "
       "it"},
      {"a variable that is not set",
       "upstreams:\n  - name: a.lan\n    credentials: {username: me, password_env: NOT_SET}\n",
       "3:47: upstreams[0].credentials.password_env: the environment variable \"NOT_SET\" is not "
       "set"},
      {"a variable that is empty",
       "upstreams:\n  - name: a.lan\n    credentials: {username: me, password_env: EMPTY}\n",
       "3:47: upstreams[0].credentials.password_env: the environment variable \"EMPTY\" is empty"},
      {"a secret for a variable's name",
       "upstreams:\n  - name: a.lan\n    credentials: {username: me, password_env: dckr_pat_x1}\n",
       "3:47: upstreams[0].credentials.password_env: the environment variable named there is not "
       "set"},
      {"a file that is not there",
       "upstreams:\n  - name: a.lan\n    credentials: {username: me, password_file: "
       "/nowhere/secret}\n",
       "3:48: upstreams[0].credentials.password_file: the file /nowhere/secret does not exist"},
      {"a file that is a folder",
       "upstreams:\n  - name: a.lan\n    credentials: {username: me, password_file: /}\n",
       "3:48: upstreams[0].credentials.password_file: the file / is a folder"},
      {"a file that is empty",
       "upstreams:\n  - name: a.lan\n    credentials: {username: me, password_file: /dev/null}\n",
       "3:48: upstreams[0].credentials.password_file: the file /dev/null is empty"},
      {"a misspelt key",
       "upstreams:\n  - name: a.lan\n    credentials: {user: me, password: secret}\n",
       "3:18: upstreams[0].credentials: the key username is missing\n3:19: found the unknown key "
       "\"user\" in upstreams[0].credentials; did you mean username?"},
  };
  check_refused(rows);
}

TEST_CASE("a password comes from the file, a file of its own or a variable") {
  const TempFolder folder;
  struct Row {
    const char* why;
    std::string source;
    const char* want;
  };
  const Row rows[] = {
      {"written down", "password: \"p: w\"", "p: w"},
      {"one that looks like a number", "password: 007", "007"},
      {"one that looks like a boolean", "password: no", "no"},
      {"a variable", "password_env: SECRET", "s3cret"},
      {"a file", "password_file: " + folder.write("a", "f1le"), "f1le"},
      {"a newline at its end", "password_file: " + folder.write("b", "f1le\n"), "f1le"},
      {"a line end of Windows", "password_file: " + folder.write("c", "f1le\r\n"), "f1le"},
      {"a blank is part of it", "password_file: " + folder.write("d", " f1le \n"), " f1le "},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const Settings settings =
        settings_of("upstreams: [{name: a.lan, access: shared, credentials: {username: me, " +
                    row.source + "}}]");
    REQUIRE(settings.upstreams[0].credentials.size() == 1);
    auto credentials = settings.upstreams[0].credentials[0];
    CHECK(credentials.username == "me");
    if (!credentials.password_file.empty()) {
      CHECK(credentials.password.empty());  // It is read when it is needed.
      credentials.password = read_password_file(credentials.password_file)->password;
    }
    CHECK(credentials.password == row.want);
  }
}

TEST_CASE("there are other ways to log in, and a list is in its order") {
  const TempFolder folder;
  const auto file = folder.write("config.json", "{}");
  const Settings settings = settings_of(
      "upstreams: [{name: a.lan, access: shared, credentials: [{helper: ecr-login}, "
      "{docker_config: " +
      file + "}, {username: me, password: s3cret}]}]");
  const auto& credentials = settings.upstreams[0].credentials;
  REQUIRE(credentials.size() == 3);
  CHECK(credentials[0].helper == "ecr-login");
  CHECK(credentials[1].docker_config == file);
  CHECK(credentials[2].password == "s3cret");
}

TEST_CASE("a password file with two lines is refused") {
  const TempFolder folder;
  const ReadOutcome outcome =
      outcome_of("upstreams: [{name: a.lan, credentials: {username: me, password_file: " +
                 folder.write("a", "me\nf1le\n") + "}}]");
  REQUIRE(outcome.problems.size() == 1);
  CHECK(outcome.problems[0].message.find("line ends") != std::string::npos);
  CHECK(outcome.problems[0].message.find("f1le") == std::string::npos);
}

TEST_CASE("a password file larger than any secret is refused") {
  const TempFolder folder;
  const ReadOutcome outcome =
      outcome_of("upstreams: [{name: a.lan, credentials: {username: me, password_file: " +
                 folder.write("a", std::string(70'000, 'x')) + "}}]");
  REQUIRE(outcome.problems.size() == 1);
  CHECK(outcome.problems[0].message.ends_with("is larger than 65536 bytes"));
}

TEST_CASE("secrets that everybody can read are worth a warning") {
  const TempFolder folder;
  const std::string head = "upstreams: [{name: a.lan, access: shared, credentials: {username: me, ";
  const auto in_file = [&](mode_t mode) {
    return outcome_of(head + "password_file: " + folder.write("a", "f1le", mode) + "}}]");
  };
  CHECK(in_file(0600).warnings.empty());
  CHECK(in_file(0640).warnings.empty());
  REQUIRE(in_file(0644).warnings.size() == 1);
  CHECK(in_file(0644).warnings[0].starts_with(
      "archway.yaml:1:86: upstreams[0].credentials.password_file: everybody on this machine"));
  CHECK(outcome_of(head + "password: s3cret}}]", false).warnings.empty());
  const ReadOutcome written = outcome_of(head + "password: s3cret}}]", true);
  REQUIRE(written.warnings.size() == 1);
  CHECK(written.warnings[0].find("everybody on this machine") != std::string::npos);
  CHECK(written.warnings[0].find("s3cret") == std::string::npos);
}

TEST_CASE("no message repeats what may be a secret") {
  const char* texts[] = {
      "upstreams: [{name: a.lan, credentials: hunter2}]",
      "upstreams: [{name: a.lan, credentials: [hunter2]}]",
      "upstreams: [{name: a.lan, credentials: {username: me, password: [hunter2]}}]",
      "upstreams: [{name: a.lan, credentials: {username: me, password: \"hunter2\\n\"}}]",
      "upstreams: [{name: a.lan, url: \"https://me:hunter2@a.lan\"}]",
      "upstreams: [{name: a.lan, credentials: {password: hunter2, password: hunter2}}]",
      "upstreams: [{name: a.lan, credentials: {username: me, password_env: hunter2}}]",
      "upstreams: [{name: a.lan, credentials: {username: me, password_env: 7_hunter2}}]",
      "upstreams: [{name: a.lan, credentials: {username: me, password_env: A-hunter2}}]",
  };
  for (const char* text : texts) {
    CAPTURE(text);
    const ReadOutcome outcome = outcome_of(text);
    CHECK_FALSE(outcome.problems.empty());
    for (const ConfigProblem& problem : outcome.problems) {
      CHECK(problem.str().find("hunter2") == std::string::npos);
    }
  }
}

}  // namespace
}  // namespace archway::proxy
