using System.Buffers;

namespace VoiceGrains.Providers.Http;

/// <summary>Reads the body of an answer whole or line by line, up to a bound. How a part is read, its patience included, is the caller's.</summary>
internal static class BodyReader
{
    private const int ReadBytes = 16 * 1024;

    /// <summary>Reads it all.</summary>
    /// <param name="read">Reads a part; 0 at the end.</param>
    /// <exception cref="InvalidDataException">It is longer than <paramref name="mostBytes"/>.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAllAsync(Func<Memory<byte>, ValueTask<int>> read, int mostBytes)
    {
        var body = new ArrayBufferWriter<byte>(ReadBytes);
        while (await read(body.GetMemory(ReadBytes)).ConfigureAwait(false) is var length and > 0)
        {
            body.Advance(length);
            if (body.WrittenCount > mostBytes) throw new InvalidDataException($"it is longer than {mostBytes} bytes");
        }
        return body.WrittenMemory;
    }

    /// <summary>Reads JSON Lines (https://jsonlines.org): gives each line that is not blank, the last one also without its line break.</summary>
    /// <param name="take">Takes a line, which is valid until it returns.</param>
    /// <exception cref="InvalidDataException">A line is longer than <paramref name="mostBytes"/>.</exception>
    /// <inheritdoc cref="ReadAllAsync"/>
    public static async Task ReadLinesAsync(Func<Memory<byte>, ValueTask<int>> read, int mostBytes, Func<ReadOnlyMemory<byte>, ValueTask> take)
    {
        var line = new ArrayBufferWriter<byte>(ReadBytes);
        var buffer = new byte[ReadBytes];
        while (await read(buffer).ConfigureAwait(false) is var length and > 0)
        {
            var rest = buffer.AsMemory(0, length);
            for (int end; (end = rest.Span.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
            {
                line.Write(rest.Span[..end]);
                await EndLineAsync().ConfigureAwait(false);
            }
            line.Write(rest.Span);
            if (line.WrittenCount > mostBytes) throw new InvalidDataException($"it has a line longer than {mostBytes} bytes");
        }
        await EndLineAsync().ConfigureAwait(false);

        async ValueTask EndLineAsync()
        {
            if (!line.WrittenSpan.Trim(" \r\t"u8).IsEmpty) await take(line.WrittenMemory).ConfigureAwait(false);
            line.ResetWrittenCount();
        }
    }
}
