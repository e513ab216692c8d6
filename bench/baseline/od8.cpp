// Native simdjson, on-demand, eight fields of every record: the named baseline of the table.
//   od8 FILE REPETITIONS   prints CPU nanoseconds per event, one line a repetition, and a checksum
#include <simdjson.h>
#include <cstdio>
#include <cstdlib>
#include <ctime>
using namespace simdjson;

static double cpuNow() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return double(t.tv_sec) * 1e9 + double(t.tv_nsec);
}

static uint64_t text(simdjson_result<ondemand::value> value) {
  std::string_view out;
  return value.get_string().get(out) ? 0 : out.size();
}

static uint64_t readRecord(ondemand::object record) {
  uint64_t sum = 0;
  for (auto member : record) {
    std::string_view key = member.unescaped_key();
    if (key == "ddsource" || key == "status" || key == "eventSource") sum += text(member.value());
    else if (key == "timestamp") {
      uint64_t number;
      if (!member.value().get_uint64().get(number)) sum += number & 1;
    } else if (key == "evt" || key == "usr" || key == "network" || key == "http") {
      ondemand::object inner;
      if (member.value().get_object().get(inner)) continue;
      for (auto below : inner) {
        std::string_view name = below.unescaped_key();
        if (name == "name" || name == "id") sum += text(below.value());
        else if (name == "status_code") {
          uint64_t number;
          if (!below.value().get_uint64().get(number)) sum += number;
        } else if (name == "client") {
          ondemand::object client;
          if (below.value().get_object().get(client)) continue;
          for (auto leaf : client) {
            std::string_view last = leaf.unescaped_key();
            if (last == "ip") sum += text(leaf.value());
          }
        }
      }
    }
  }
  return sum;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  padded_string bytes;
  if (padded_string::load(argv[1]).get(bytes)) return 2;
  ondemand::parser parser;
  for (int i = 0; i < atoi(argv[2]); i++) {
    uint64_t events = 0, sum = 0;
    double start = cpuNow();
    ondemand::document_stream stream;
    if (parser.iterate_many(bytes.data(), bytes.size(), 1 << 20).get(stream)) return 1;
    for (auto document : stream) {
      ondemand::object record;
      if (document.get_object().get(record)) continue;
      sum += readRecord(record);
      events++;
    }
    printf("%.2f %llu %llu\n", (cpuNow() - start) / double(events), (unsigned long long)events, (unsigned long long)sum);
  }
}
