package io.weft.policy.model;

/** What a connection of the agent's own speaks; HTTP/2 without TLS by prior knowledge. */
public enum HttpVersion { HTTP_1_1, HTTP_2 }
