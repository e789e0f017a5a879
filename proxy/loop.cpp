#include "proxy/loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>

namespace archway::proxy {

Loop::Loop(PullShared* shared, std::shared_ptr<UpstreamShared> upstreams)
    : guard_(context_.get_executor()),
      upstreams_(Upstreams::make(std::move(upstreams), context_.get_executor())),
      parts_{.shared = shared, .upstreams = upstreams_.get()},
      pipeline_(parts_) {}

Loop::~Loop() {
  context_.drop_coroutines();
}

void Loop::add(BoundSocket socket, ListenerParts parts) {
  listeners_.push_back(
      std::make_unique<Listener>(context_.get_executor(), std::move(socket), std::move(parts)));
  listeners_.back()->start();
}

void Loop::spawn(std::string name, boost::asio::awaitable<void> work, metrics::Log* log) {
  boost::asio::co_spawn(context_, std::move(work),
                        [log, name = std::move(name)](std::exception_ptr escaped) {
                          if (escaped) log->error("background work ended", {{"work", name}});
                        });
}

void Loop::run(metrics::Log* log) {
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& error) {
      // Every coroutine's root catches its own; what gets here is a handler out of memory.
      log->error("an event loop caught an exception", {{"what", std::string(error.what())}});
    }
  }
}

bool all_answer(const std::vector<boost::asio::io_context*>& contexts,
                std::chrono::milliseconds within) {
  struct Answers {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t missing;
  };
  const auto answers = std::make_shared<Answers>();
  answers->missing = contexts.size();
  for (auto* const context : contexts) {
    boost::asio::post(*context, [answers] {
      const std::lock_guard lock(answers->mutex);
      --answers->missing;
      answers->changed.notify_one();
    });
  }
  std::unique_lock lock(answers->mutex);
  return answers->changed.wait_for(lock, within, [&] { return answers->missing == 0; });
}

void Loop::stop_accepting() {
  for (const auto& listener : listeners_) listener->stop();
}

void Loop::drain() {
  connections_.drain();
  upstreams_->close();
}

}  // namespace archway::proxy
