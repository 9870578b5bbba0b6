using System.Buffers;

namespace VoiceGrains.Media;

/// <summary>
/// Buffers that one stream's frames use again and again. The shared pool behind it keeps 32 arrays for each core, fewer than many calls' frames need when
/// they come in one burst; what a stream keeps here never has to be allocated again. Thread-safe.
/// </summary>
/// <typeparam name="T">Samples or bytes.</typeparam>
/// <param name="kept">Buffers kept, at least 1: as many frames as are usually under way at the same time.</param>
public sealed class FrameBuffers<T>(int kept = 4)
    where T : unmanaged
{
    private readonly T[]?[] _spare = new T[]?[kept];

    /// <summary>A buffer of at least <paramref name="length"/>; give it back with <see cref="Return"/>.</summary>
    public T[] Rent(int length)
    {
        for (var i = 0; i < _spare.Length; i++)
        {
            if (Interlocked.Exchange(ref _spare[i], null) is not { } spare)
                continue;
            if (spare.Length >= length)
                return spare;
            ArrayPool<T>.Shared.Return(spare);
        }
        return ArrayPool<T>.Shared.Rent(length);
    }

    /// <summary>The buffer must not be used afterwards.</summary>
    public void Return(T[] buffer)
    {
        for (var i = 0; i < _spare.Length; i++)
        {
            if (Interlocked.CompareExchange(ref _spare[i], buffer, null) is null)
                return;
        }
        ArrayPool<T>.Shared.Return(buffer);
    }
}
