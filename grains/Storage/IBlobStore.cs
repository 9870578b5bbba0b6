namespace VoiceGrains.Grains.Storage;

/// <summary>Recordings and uploads: large, written once, read in ranges.</summary>
/// <remarks>
/// Names are relative paths with forward slashes, at most 255 characters of <c>A-Z a-z 0-9 . _ -</c> in each part, no part starting with a dot.
/// Any other name is an <see cref="ArgumentException"/>: names come from the server, never from a client.
/// </remarks>
public interface IBlobStore
{
    /// <summary>
    /// Creates or replaces a blob. What was written and flushed can be read by others at once and survives the end of this process.
    /// The stream is seekable, so that a header can be completed at the end.
    /// </summary>
    Stream OpenWrite(string name);

    /// <summary>Opens a blob for seeking and reading; its length is <see cref="Stream.Length"/>. Null when there is none.</summary>
    Stream? OpenRead(string name);

    /// <summary>Removes a blob. False when there was none. A stream that is still open stays usable.</summary>
    bool Delete(string name);
}
