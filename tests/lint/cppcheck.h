/* Macros of libraries that cppcheck has to know, since it does not read their headers. */
#define json_array_foreach(array, index, value) \
    for (index = 0; (value = json_array_get(array, index)) != 0; index++)
#define JSON_INTEGER_FORMAT "lld"
#define json_object_foreach(object, key, value) \
    for (key = ""; (value = json_object_get(object, key)) != 0;)
