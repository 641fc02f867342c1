#include "weights.h"

#include <string.h>

#include "plan.h"

/* What is read of a JSON text: where it is, and where it ends. */
typedef struct {
  const unsigned char *now, *end;
} text;

enum { DEEPEST = 32, LONGEST_NAME = 4096, MOST_AXES = 16 };

static void skip_space(text *t) {
  while (t->now < t->end && (*t->now == ' ' || *t->now == '\n' || *t->now == '\t' || *t->now == '\r')) ++t->now;
}

static int take(text *t, unsigned char sign) {
  skip_space(t);
  if (t->now >= t->end || *t->now != sign) return 0;
  ++t->now;
  return 1;
}

static int next_is(text *t, unsigned char sign) {
  skip_space(t);
  return t->now < t->end && *t->now == sign;
}

/* Four hexadecimal digits. */
static int read_hex(text *t, uint32_t *number) {
  *number = 0;
  if (t->end - t->now < 4) return 0;
  for (int i = 0; i < 4; ++i) {
    int c = *t->now++, letter = c | 32;
    int digit = c >= '0' && c <= '9' ? c - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
    if (digit < 0) return 0;
    *number = *number << 4 | (uint32_t)digit;
  }
  return 1;
}

/* A string, as UTF-8 with a zero behind it; of one that is longer than `most` the rest is left out. */
static int read_string(text *t, char *into, size_t most) {
  size_t length = 0;
  if (!take(t, '"')) return 0;
  while (t->now < t->end && *t->now != '"') {
    unsigned char c = *t->now++, bytes[4] = {c};
    int count = 1;
    if (c == '\\') {
      if (t->now >= t->end) return 0;
      c = *t->now++;
      bytes[0] = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c;
      if (c == 'u') {
        uint32_t point, low;
        if (!read_hex(t, &point)) return 0;
        if (point >> 10 == 0x36 && t->end - t->now >= 6 && t->now[0] == '\\' && t->now[1] == 'u') {
          t->now += 2;
          if (!read_hex(t, &low)) return 0;
          point = 0x10000 + ((point & 0x3ff) << 10) + (low & 0x3ff);
        }
        count = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        for (int i = count - 1; i > 0; --i, point >>= 6) bytes[i] = (unsigned char)(0x80 | (point & 0x3f));
        bytes[0] = (unsigned char)((count == 1 ? 0 : count == 2 ? 0xc0 : count == 3 ? 0xe0 : 0xf0) | point);
      }
    }
    for (int i = 0; i < count; ++i)
      if (length + 1 < most) into[length++] = (char)bytes[i];
  }
  into[length] = 0;
  return take(t, '"');
}

static int read_number(text *t, uint64_t *number) {
  skip_space(t);
  *number = 0;
  if (t->now >= t->end || *t->now < '0' || *t->now > '9') return 0;
  for (; t->now < t->end && *t->now >= '0' && *t->now <= '9'; ++t->now) {
    if (*number > UINT64_MAX / 10 - 1) return 0;
    *number = *number * 10 + (uint64_t)(*t->now - '0');
  }
  return 1;
}

/* At most `most` whole numbers in brackets, and how many they are. */
static int read_numbers(text *t, uint64_t *numbers, size_t most, size_t *count) {
  *count = 0;
  if (!take(t, '[')) return 0;
  if (take(t, ']')) return 1;
  do {
    if (*count == most || !read_number(t, &numbers[(*count)++])) return 0;
  } while (take(t, ','));
  return take(t, ']');
}

/* Any value that nobody asks for. */
static int skip(text *t, int depth) {
  char name[2];
  if (depth > DEEPEST) return 0;
  if (next_is(t, '"')) return read_string(t, name, sizeof name);
  for (int list = 0; list < 2; ++list) {
    if (!take(t, list ? '[' : '{')) continue;
    if (take(t, list ? ']' : '}')) return 1;
    do {
      if (!list && (!read_string(t, name, sizeof name) || !take(t, ':'))) return 0;
      if (!skip(t, depth + 1)) return 0;
    } while (take(t, ','));
    return take(t, list ? ']' : '}');
  }
  const unsigned char *start = t->now;
  while (t->now < t->end && !strchr(",]} \n\t\r", *t->now)) ++t->now;
  return t->now > start;
}

/* The name that safetensors has for a type. */
static const char *spelled(const char *type) {
  static const char *const names[][2] = {
      {"float32", "F32"}, {"float64", "F64"}, {"float16", "F16"}, {"int64", "I64"}, {"int32", "I32"},   {"int16", "I16"},
      {"int8", "I8"},     {"uint8", "U8"},    {"uint16", "U16"},  {"bool", "BOOL"}, {"uint32", "U32"},
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
    if (!strcmp(names[i][0], type)) return names[i][1];
  return "";
}

typedef struct {
  char type[16];
  uint64_t shape[MOST_AXES], offsets[2];
  size_t axes, ends;
} entry;

static int read_entry(text *t, entry *e) {
  char key[32];
  memset(e, 0, sizeof *e);
  if (!take(t, '{')) return 0;
  do {
    if (!read_string(t, key, sizeof key) || !take(t, ':')) return 0;
    int read = !strcmp(key, "dtype")          ? read_string(t, e->type, sizeof e->type)
               : !strcmp(key, "shape")        ? read_numbers(t, e->shape, MOST_AXES, &e->axes)
               : !strcmp(key, "data_offsets") ? read_numbers(t, e->offsets, 2, &e->ends)
                                              : skip(t, 0);
    if (!read) return 0;
  } while (take(t, ','));
  return take(t, '}') && e->ends == 2;
}

static int is_wanted(const entry *e, const network_array *wanted) {
  if (strcmp(e->type, spelled(wanted->type)) || e->axes != (size_t)wanted->axes) return 0;
  for (size_t i = 0; i < e->axes; ++i)
    if (e->shape[i] != (uint64_t)wanted->shape[i]) return 0;
  return 1;
}

int weights_find(const unsigned char *file, size_t bytes, const network_array *wanted, size_t count,
                 const unsigned char **places) {
  char name[LONGEST_NAME];
  uint64_t length = 0;
  if (bytes < 8) return fail("it holds no arrays that can be read"), -1;
  for (int i = 7; i >= 0; --i) length = length << 8 | file[i];
  if (length > bytes - 8) return fail("it holds no arrays that can be read"), -1;
  const unsigned char *data = file + 8 + length;
  size_t space = bytes - 8 - (size_t)length;
  text t = {file + 8, data};
  for (size_t i = 0; i < count; ++i) places[i] = NULL;
  if (!take(&t, '{')) return fail("it holds no arrays that can be read"), -1;
  /* Arrays mostly come in the order in which they are wanted: the search goes on from the last that was found. */
  size_t last = 0;
  if (!next_is(&t, '}')) do {
      entry e;
      if (!read_string(&t, name, sizeof name) || !take(&t, ':')) return fail("its header cannot be read"), -1;
      if (!strcmp(name, "__metadata__")) {
        if (!skip(&t, 0)) return fail("its header cannot be read"), -1;
        continue;
      }
      if (!read_entry(&t, &e)) return fail("its entry for '%s' cannot be read", name), -1;
      for (size_t step = 0; step < count; ++step) {
        size_t i = (last + step) % count;
        if (strcmp(name, wanted[i].name)) continue;
        if (e.offsets[0] > e.offsets[1] || e.offsets[1] > space || e.offsets[1] - e.offsets[0] != wanted[i].bytes ||
            !is_wanted(&e, &wanted[i]))
          return fail("its '%s' is not what the network takes", name), -1;
        places[i] = data + e.offsets[0];
        last = i + 1;
        break;
      }
    } while (take(&t, ','));
  if (!take(&t, '}')) return fail("its header cannot be read"), -1;
  for (size_t i = 0; i < count; ++i)
    if (!places[i]) return fail("it has no '%s'", wanted[i].name), -1;
  return 0;
}
