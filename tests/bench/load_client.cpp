// A client, or thousands of them, in one thread: asks a server for the same things again and again,
// and prints as one line of JSON what came of it. For the measurements of ./dev bench.
//
//   load_client [--clients N] [--requests N | --seconds S] [--method GET|HEAD] [--header 'K: V']
//               [--new [--resume]] [--rate BYTES] [--drop] [--hold] [--cut] URL...
//
// With --hold every client asks once; "held" is printed when all have their answer, and they keep
// their connections until the input ends.

#include "tests/bench/load_connection.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace archway::bench {
namespace {

using Clock = LoadConnection::Clock;
using Connections = std::vector<std::unique_ptr<LoadConnection>>;

double quantile(std::vector<double>& seconds, double part) {
  if (seconds.empty()) return 0;
  const auto last = static_cast<double>(seconds.size() - 1);
  const auto at = seconds.begin() + static_cast<std::ptrdiff_t>(part * last);
  std::nth_element(seconds.begin(), at, seconds.end());
  return *at;
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void print(Tally& tally, double seconds) {
  std::printf(
      "{\"requests\": %llu, \"errors\": %llu, \"bytes\": %llu, \"resumed\": %llu, \"seconds\": "
      "%.6f, "
      "\"cpu\": %.6f, \"first_byte\": %.6f, \"p50\": %.6f, \"p99\": %.6f, \"first_error\": "
      "\"%s\"}\n",
      static_cast<unsigned long long>(tally.requests),
      static_cast<unsigned long long>(tally.errors), static_cast<unsigned long long>(tally.bytes),
      static_cast<unsigned long long>(tally.resumed), seconds, cpu_seconds(),
      quantile(tally.first_byte, 0.5), quantile(tally.whole, 0.5), quantile(tally.whole, 0.99),
      tally.first_error.c_str());
}

/// Until all are over, or all hold.
void run(const Plan& plan, int epoll, Connections& connections) {
  constexpr int tick_ms = 20;
  constexpr std::chrono::milliseconds tick{tick_ms};
  const auto start = Clock::now();
  std::array<epoll_event, 256> events{};
  for (const auto& one : connections) one->advance();
  const auto ended = [](const auto& one) { return one->over() || one->held(); };
  while (!std::all_of(connections.begin(), connections.end(), ended)) {
    if (plan.rate != 0) {  // Time makes them ready, not their sockets.
      std::this_thread::sleep_for(tick);
      for (const auto& one : connections) one->advance();
    } else {
      const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), tick_ms);
      for (int i = 0; i < count; ++i) {
        static_cast<LoadConnection*>(events[static_cast<std::size_t>(i)].data.ptr)->advance();
      }
    }
    const bool late = plan.time.count() != 0 && Clock::now() - start > plan.time;
    if (late && plan.cut) {
      for (const auto& one : connections) one->stop();
    }
  }
}

int load(const Plan& plan) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls(SSL_CTX_new(TLS_client_method()),
                                                              &SSL_CTX_free);
  SSL_CTX_set_session_cache_mode(tls.get(), SSL_SESS_CACHE_CLIENT);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  Tally tally;
  Connections connections;
  for (std::size_t i = 0; i < plan.clients; ++i) {
    connections.push_back(std::make_unique<LoadConnection>(&plan, tls.get(), epoll, &tally, i));
  }
  const auto start = Clock::now();
  run(plan, epoll, connections);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (plan.hold) {
    std::puts("held");
    std::fflush(stdout);
    while (std::cin.get() != EOF) {
    }
  }
  connections.clear();
  print(tally, seconds);
  ::close(epoll);
  return tally.errors == 0 ? 0 : 1;
}

}  // namespace
}  // namespace archway::bench

int main(int count, char** words) {
  try {
    return archway::bench::load(archway::bench::read_plan({words + 1, words + count}));
  } catch (const std::exception& error) {
    std::cerr << "load_client: " << error.what() << '\n';
    return 2;
  }
}
