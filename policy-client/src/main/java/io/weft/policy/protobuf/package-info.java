/**
 * What the protobuf runtime is linked to, in the agent, in place of {@code sun.misc.Unsafe} and {@code java.util.logging}: the
 * first makes the JDK print a warning on the app's stderr (24 and later), the second must not be initialised before the app has
 * configured it. Nothing in the source refers to these classes: the agent's packaging relocates, in the classes of
 * {@code com.google.protobuf} only,
 * <pre>
 * sun.misc.Unsafe   → io.weft.policy.protobuf.FieldUnsafe
 * java.util.logging → io.weft.policy.protobuf
 * </pre>
 */
package io.weft.policy.protobuf;
