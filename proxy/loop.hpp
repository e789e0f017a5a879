#pragma once

#include "proxy/http/connection.hpp"
#include "proxy/http/listener.hpp"
#include "proxy/pull/pipeline.hpp"
#include "proxy/upstream/upstreams.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace archway::proxy {

/// One thread's world: its io_context, its upstream clients, its connections, its listeners.
///
/// Threads: built before its thread runs; then touched on that thread only (post to `context()`).
class Loop {
 public:
  Loop(PullShared* shared, std::shared_ptr<UpstreamShared> upstreams);
  /// Its thread has ended. Whatever was still under way is dropped where it waits.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  boost::asio::io_context& context() { return context_; }
  Handler* pipeline() { return &pipeline_; }
  /// What pulls of this loop use; lives as long as it.
  PullParts* parts() { return &parts_; }
  ConnectionSet* connections() { return &connections_; }
  void add(BoundSocket socket, ListenerParts parts);

  /// Work of the loop's own, nobody's request: runs from the next turn on and is dropped where it
  /// waits when the loop goes. `name` is for the log, where an exception ends it. Any thread.
  void spawn(std::string name, boost::asio::awaitable<void> work, metrics::Log* log);

  /// On the loop's thread, until stop().
  void run(metrics::Log* log);
  void stop() { context_.stop(); }

  /// On the loop's thread.
  void stop_accepting();
  void drain();

 private:
  /// Coroutines use what is declared below, and that uses the context: so the coroutines have to go
  /// first, while all of it is still there.
  class Context : public boost::asio::io_context {
   public:
    Context() : io_context(1) {}
    void drop_coroutines() { shutdown(); }
  };

  Context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::unique_ptr<Upstreams> upstreams_;
  PullParts parts_;
  Pipeline pipeline_;
  ConnectionSet connections_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

/// True when each of these runs what it is given within about that time, all together.
bool all_answer(const std::vector<boost::asio::io_context*>& contexts,
                std::chrono::milliseconds within);

}  // namespace archway::proxy
