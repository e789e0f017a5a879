#include "proxy/command/pull_many.hpp"

#include <CLI/App.hpp>
#include <algorithm>
#include <boost/json/object.hpp>
#include <ostream>
#include <sstream>
#include <unordered_map>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

net::awaitable<void> look_up(Registry* registry, GatewayImage name, std::vector<Platform> platforms,
                             PullTask* task) {
  auto image = co_await fetch_image(registry, std::move(name), std::move(platforms));
  if (image) {
    task->image = *std::move(image);
  } else {
    task->error = image.error();
  }
}

std::string joined(const std::vector<std::string>& texts) {
  std::string text;
  for (const auto& each : texts) text += (text.empty() ? "" : ",") + each;
  return text;
}

boost::json::array list_of(const std::vector<std::string>& texts) {
  boost::json::array list;
  for (const auto& text : texts) list.emplace_back(text);
  return list;
}

}  // namespace

void add_pull_many_options(CLI::App& command, PullManyOptions& options) {
  command
      .add_option("--platform", options.platforms,
                  "Only for these platforms (linux/arm64,linux/arm/v7); else all there are")
      ->type_name("PLATFORM,…")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--at-once", options.at_once, "Transfers at a time (4)")
      ->type_name("N")
      ->check(CLI::Range(1, 64));
  add_pull_options(command, options.pull);
  add_output_options(command, options.output);
}

Result<std::vector<Platform>> wanted_platforms(const std::vector<std::string>& texts) {
  std::vector<Platform> platforms;
  for (const auto& text : texts) {
    std::istringstream words(text);
    std::string word;
    while (std::getline(words, word, ',')) {
      auto platform = Platform::parse(word);
      if (!platform) return platform.error();
      if (std::find(platforms.begin(), platforms.end(), *platform) != platforms.end()) continue;
      platforms.push_back(*std::move(platform));
    }
  }
  return platforms;
}

std::string PullTask::name() const {
  return image ? image->name.image.str() : asked;
}

std::uint64_t PullTask::bytes() const {
  std::uint64_t sum = 0;
  if (!image) return 0;
  for (const auto& blob : image->blobs) sum += blob.size;
  return sum;
}

std::vector<PullTask> look_up_all(PullSession& session, const std::vector<std::string>& images,
                                  const std::vector<Platform>& platforms, std::size_t at_once) {
  std::vector<PullTask> tasks;
  tasks.reserve(images.size());
  for (const auto& image : images) tasks.push_back({.asked = image});
  std::vector<Work> works;
  for (auto& task : tasks) {
    auto name = read_gateway_image(task.asked, session.gateway);
    if (!name) {
      task.error = name.error();
      continue;
    }
    works.emplace_back([registry = session.registry, name = *std::move(name), &platforms,
                        out = &task] { return look_up(registry, name, platforms, out); });
  }
  const auto ran = session.session->run(run_some_at_a_time(std::move(works), at_once));
  for (auto& task : tasks) {
    if (!ran && !task.image && !task.error) task.error = ran.error();
  }
  return tasks;
}

std::vector<Transfer> transfers_of(const std::vector<PullTask>& tasks,
                                   const std::function<bool(const Digest&)>& is_there) {
  std::vector<Transfer> transfers;
  std::unordered_map<Digest, std::size_t> known;
  for (const auto& task : tasks) {
    if (!task.image) continue;
    for (const auto& blob : task.image->blobs) {
      const auto& path = task.image->name.path;
      const auto found = known.find(blob.digest);
      if (found != known.end()) {
        transfers[found->second].elsewhere.push_back(path);
      } else if (!is_there(blob.digest)) {
        known.emplace(blob.digest, transfers.size());
        transfers.push_back({.where = path, .blob = blob});
      }
    }
  }
  return transfers;
}

void settle(std::vector<PullTask>& tasks, const std::vector<Transfer>& transfers) {
  std::unordered_map<Digest, const Transfer*> by_digest;
  for (const auto& transfer : transfers) by_digest.emplace(transfer.blob.digest, &transfer);
  for (auto& task : tasks) {
    if (!task.image) continue;
    for (const auto& blob : task.image->blobs) {
      const auto found = by_digest.find(blob.digest);
      if (found == by_digest.end()) continue;
      task.brought += found->second->brought;
      if (!task.error) task.error = found->second->error;
    }
  }
}

int report_failures(const std::string& command, const std::vector<PullTask>& tasks,
                    const Surroundings& surroundings, const OutputOptions& options) {
  int code = exits::ok;
  for (const auto& task : tasks) {
    const auto name = task.name();
    if (task.error) {
      code = exits::failed;
      const bool named = task.error->message.find(name) != std::string::npos;
      surroundings.err << "archway " << command << ": " << (named ? "" : name + ": ")
                       << task.error->message << "\n";
    }
    if (!task.image) continue;
    for (const auto& platform : task.image->not_there) {
      code = exits::failed;
      surroundings.err << "archway " << command << ": " << name << " has nothing for " << platform
                       << "\n";
    }
    if (options.quiet) continue;
    for (const auto& entry : task.image->left_out) {
      surroundings.err << "left out of " << name << ": " << entry << "\n";
    }
  }
  return code;
}

void say_what_was_done(const std::string& command, const std::vector<PullTask>& tasks,
                       const std::vector<Transfer>& transfers, const std::string& where,
                       const Surroundings& surroundings, const OutputOptions& options) {
  if (options.quiet || options.json) return;
  const auto whole = std::count_if(tasks.begin(), tasks.end(),
                                   [](const auto& task) { return task.image && !task.error; });
  std::uint64_t brought = 0;
  for (const auto& transfer : transfers) brought += transfer.brought;
  surroundings.err << "archway " << command << ": " << whole << " of "
                   << counted(tasks.size(), "image") << (tasks.size() == 1 ? " is in " : " are in ")
                   << where << ", "
                   << (brought == 0 ? "nothing had to be fetched"
                                    : human_size(brought) + " were fetched")
                   << "\n";
}

boost::json::array tasks_json(const std::vector<PullTask>& tasks) {
  boost::json::array list;
  for (const auto& task : tasks) {
    boost::json::object document{{"image", task.name()},
                                 {"digest", nullptr},
                                 {"platforms", boost::json::array()},
                                 {"bytes", task.bytes()},
                                 {"brought_bytes", task.brought},
                                 {"missing", boost::json::array()},
                                 {"error", nullptr}};
    if (task.image) {
      document["digest"] = task.image->top.digest.str();
      document["platforms"] = list_of(task.image->platforms);
      document["missing"] = list_of(task.image->not_there);
    }
    if (task.error) document["error"] = task.error->message;
    list.push_back(std::move(document));
  }
  return list;
}

std::string tasks_table(const std::vector<PullTask>& tasks, bool terminal) {
  Table table({"IMAGE", "PLATFORMS", "SIZE", "FETCHED"});
  for (const auto& task : tasks) {
    if (!task.image || task.error) continue;
    const auto platforms = joined(task.image->platforms);
    table.row({task.name(), platforms.empty() ? "as it is" : platforms, human_size(task.bytes()),
               human_size(task.brought)});
  }
  return table.str(terminal);
}

}  // namespace archway::proxy
