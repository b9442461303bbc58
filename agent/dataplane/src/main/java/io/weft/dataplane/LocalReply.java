package io.weft.dataplane;

import java.util.List;
import java.util.Map;

/**
 * A response that the mesh gives without asking anyone: a redirect, a direct response, no healthy endpoint.
 *
 * @param headers names in lower case, in order
 */
public record LocalReply(int status, List<Map.Entry<String, String>> headers, byte[] body) {}
