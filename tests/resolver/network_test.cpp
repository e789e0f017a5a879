#include "resolver/network.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace archway::resolver;
using archway::Errc;

TEST_CASE("addresses are read and written in one form each") {
  struct Row {
    std::string why;
    std::string text;
    std::string want;
  };
  const std::vector<Row> rows = {
      {"IPv4", "10.20.0.1", "10.20.0.1"},
      {"IPv6", "FD00:0:0::1", "fd00::1"},
      {"loopback", "::1", "::1"},
      {"mapped IPv4 is IPv4", "::ffff:10.20.0.1", "10.20.0.1"},
      {"mapped IPv4 in hex", "::ffff:0a14:0001", "10.20.0.1"},
      {"all zero", "::", "::"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto address = Address::parse(row.text);
    REQUIRE(address);
    CHECK(address->str() == row.want);
    CHECK(*Address::parse(row.want) == *address);
  }
}

TEST_CASE("texts that only resemble addresses are refused") {
  const std::vector<std::string> texts = {"",
                                          "10.20.0",
                                          "10.20.0.256",
                                          "10.20.0.1.2",
                                          "010.20.0.1",
                                          "0x0a.20.0.1",
                                          "1",
                                          "localhost",
                                          "10.20.0.1 ",
                                          "10.20.0.1/32",
                                          "[::1]",
                                          "::1%lo",
                                          "1::2::3",
                                          ":::",
                                          "g::1",
                                          "1:2:3:4:5:6:7",
                                          std::string(99, '1'),
                                          std::string("10.20.0.1\0x", 11)};
  for (const auto& text : texts) {
    CAPTURE(text);
    const auto address = Address::parse(text);
    REQUIRE(!address);
    CHECK(address.error().code == Errc::configuration_invalid);
    CHECK(address.error().message.find("is not an IP address") != std::string::npos);
  }
}

TEST_CASE("a network contains the addresses of its prefix and no others") {
  struct Row {
    std::string why;
    std::string network;
    std::string address;
    bool want;
  };
  const std::vector<Row> rows = {
      {"first", "10.20.0.0/16", "10.20.0.0", true},
      {"last", "10.20.0.0/16", "10.20.255.255", true},
      {"one before", "10.20.0.0/16", "10.19.255.255", false},
      {"one behind", "10.20.0.0/16", "10.21.0.0", false},
      {"within a byte", "10.16.0.0/12", "10.31.1.1", true},
      {"outside, within a byte", "10.16.0.0/12", "10.32.1.1", false},
      {"mapped", "10.20.0.0/16", "::ffff:10.20.1.1", true},
      {"one address", "10.20.0.1", "10.20.0.1", true},
      {"its neighbour", "10.20.0.1", "10.20.0.2", false},
      {"IPv6", "fd00::/8", "fdff::1", true},
      {"outside IPv6", "fd00::/8", "fe00::1", false},
      {"all of IPv4", "0.0.0.0/0", "255.1.2.3", true},
      {"all of IPv4 is not IPv6", "0.0.0.0/0", "fd00::1", false},
      {"everything", "::/0", "10.1.2.3", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto network = Network::parse(row.network);
    REQUIRE(network);
    CHECK(network->contains(*Address::parse(row.address)) == row.want);
    CHECK(network->str() == row.network);
    CHECK(*Network::parse(network->str()) == *network);
  }
  CHECK(Network::parse("10.0.0.0/8")->prefix_bits == 104);
  CHECK(Network::parse("10.0.0.1")->prefix_bits == 128);
}

TEST_CASE("a network that cannot be meant is refused, with what was probably meant") {
  struct Row {
    std::string why;
    std::string text;
    const char* says;
  };
  const std::vector<Row> rows = {
      {"bits behind the prefix", "10.20.1.0/16", "did you mean 10.20.0.0/16?"},
      {"bits behind the prefix in a byte", "10.20.0.0/12", "did you mean 10.16.0.0/12?"},
      {"bits behind an IPv6 prefix", "fd00::1/8", "did you mean fd00::/8?"},
      {"too many bits", "10.0.0.0/33", "a number from 0 to 32"},
      {"too many bits for IPv6", "fd00::/129", "a number from 0 to 128"},
      {"no bits", "10.0.0.0/", "a number from 0 to 32"},
      {"negative", "10.0.0.0/-0", "a number from 0 to 32"},
      {"a mask", "10.0.0.0/255.0.0.0", "a number from 0 to 32"},
      {"words", "home", "write it like 10.20.0.0/16"},
      {"an address cut short", "10.20/16", "write it like 10.20.0.0/16"},
      {"empty", "", "write it like 10.20.0.0/16"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto network = Network::parse(row.text);
    REQUIRE(!network);
    CHECK(network.error().code == Errc::configuration_invalid);
    CHECK(network.error().message.find(row.says) != std::string::npos);
  }
}
