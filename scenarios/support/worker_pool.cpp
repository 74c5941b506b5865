#include "scenarios/support/worker_pool.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>
#include <stdexcept>

#include "models/common/error.h"
#include "scenarios/support/command_line.h"

namespace imssa {

namespace {

enum class MessageKind : std::uint8_t { progress, result, user_error, fault };

struct MessageHeader {
    MessageKind kind = MessageKind::fault;
    std::uint64_t size = 0;
};

void write_all(int descriptor, const void* data, std::size_t size) {
    const char* from = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t written = ::write(descriptor, from, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            ::_exit(1);  // the parent is gone
        }
        from += written;
        size -= static_cast<std::size_t>(written);
    }
}

void send(int descriptor, MessageKind kind, const std::string& payload) {
    const MessageHeader header{kind, payload.size()};
    write_all(descriptor, &header, sizeof(header));
    write_all(descriptor, payload.data(), payload.size());
}

/// One running child and the bytes that it has sent.
struct Child {
    pid_t process = -1;
    int descriptor = -1;
    int job = 0;
    std::string received;
    bool finished = false;
};

class ProcessPool {
public:
    explicit ProcessPool(std::vector<std::string>& results) : results_(results) {}
    ProcessPool(const ProcessPool&) = delete;
    ProcessPool& operator=(const ProcessPool&) = delete;
    ~ProcessPool() {
        for (const Child& child : children_) {
            ::kill(child.process, SIGKILL);
            ::close(child.descriptor);
            ::waitpid(child.process, nullptr, 0);
        }
    }

    void start(int job, const std::function<std::string(int, const std::function<void(int)>&)>& run) {
        int ends[2];
        if (::pipe(ends) != 0) {
            throw std::runtime_error("pipe failed: " + std::string(std::strerror(errno)));
        }
        const pid_t process = ::fork();
        if (process < 0) {
            throw std::runtime_error("fork failed: " + std::string(std::strerror(errno)));
        }
        if (process == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::close(ends[0]);
            run_child(ends[1], job, run);
        }
        ::close(ends[1]);
        children_.push_back({process, ends[0], job, {}, false});
    }

    std::size_t running() const { return children_.size(); }

    /// Waits for messages and handles them.
    void wait(const std::function<void(int)>& on_progress) {
        std::vector<pollfd> descriptors;
        for (const Child& child : children_) {
            descriptors.push_back({child.descriptor, POLLIN, 0});
        }
        if (::poll(descriptors.data(), descriptors.size(), -1) < 0 && errno != EINTR) {
            throw std::runtime_error("poll failed: " + std::string(std::strerror(errno)));
        }
        for (std::size_t index = children_.size(); index-- > 0;) {
            if (descriptors[index].revents != 0 && !receive(children_[index], on_progress)) {
                const Child child = children_[index];
                children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(index));
                end(child);
            }
        }
    }

private:
    [[noreturn]] static void run_child(int descriptor, int job,
                                       const std::function<std::string(int, const std::function<void(int)>&)>& run) {
        try {
            const std::string result = run(job, [descriptor](int done) {
                send(descriptor, MessageKind::progress,
                     std::string(reinterpret_cast<const char*>(&done), sizeof(done)));
            });
            send(descriptor, MessageKind::result, result);
            ::_exit(0);
        } catch (const UserError& error) {
            send(descriptor, MessageKind::user_error, error.what());
        } catch (const std::bad_alloc&) {
            send(descriptor, MessageKind::user_error, kOutOfMemory);
        } catch (const std::exception& error) {
            send(descriptor, MessageKind::fault, error.what());
        }
        ::_exit(1);
    }

    /// False at the end of the child's stream.
    bool receive(Child& child, const std::function<void(int)>& on_progress) {
        char buffer[65536];
        const ssize_t size = ::read(child.descriptor, buffer, sizeof(buffer));
        if (size < 0 && errno == EINTR) {
            return true;
        }
        if (size <= 0) {
            return false;
        }
        child.received.append(buffer, static_cast<std::size_t>(size));
        MessageHeader header;
        while (child.received.size() >= sizeof(header)) {
            std::memcpy(&header, child.received.data(), sizeof(header));
            if (child.received.size() < sizeof(header) + header.size) {
                break;
            }
            const std::string payload = child.received.substr(sizeof(header), header.size);
            child.received.erase(0, sizeof(header) + header.size);
            handle(child, header.kind, payload, on_progress);
        }
        return true;
    }

    void handle(Child& child, MessageKind kind, const std::string& payload,
                const std::function<void(int)>& on_progress) {
        if (kind == MessageKind::progress) {
            int done = 0;
            std::memcpy(&done, payload.data(), sizeof(done));
            on_progress(done);
        } else if (kind == MessageKind::result) {
            results_[static_cast<std::size_t>(child.job)] = payload;
            child.finished = true;
        } else if (kind == MessageKind::user_error) {
            throw UserError(payload);
        } else {
            throw std::runtime_error(payload);
        }
    }

    static void end(const Child& child) {
        ::close(child.descriptor);
        int status = 0;
        ::waitpid(child.process, &status, 0);
        if (!child.finished) {
            throw std::runtime_error(
                "worker of job " + std::to_string(child.job) + " died" +
                (WIFSIGNALED(status) ? " of signal " + std::to_string(WTERMSIG(status)) : std::string()));
        }
    }

    std::vector<std::string>& results_;
    std::vector<Child> children_;
};

}  // namespace

std::vector<std::string> run_in_processes(
    int jobs, int workers, const std::function<std::string(int job, const std::function<void(int)>& progress)>& run,
    const std::function<void(int done)>& on_progress) {
    std::vector<std::string> results(static_cast<std::size_t>(jobs));
    ProcessPool pool(results);
    int next = 0;
    while (next < jobs || pool.running() > 0) {
        while (next < jobs && pool.running() < static_cast<std::size_t>(workers)) {
            pool.start(next++, run);
        }
        pool.wait(on_progress);
    }
    return results;
}

}  // namespace imssa
