package io.weft.policy.protobuf;

/** The levels that protobuf logs at. */
public enum Level { WARNING }
