using System.Buffers;
using System.Net.WebSockets;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Media;

namespace VoiceGrains.Silo.WebSockets;

/// <summary>Reads a client's messages: audio goes on as it arrives, text once it is whole. Closes with a clear code what breaks the rules.</summary>
internal sealed class WebSocketReceiver(WebSocket socket, IMediaSink sink, int longestAudioMessage, int longestDataMessage)
{
    private const int ChunkBytes = 16 * 1024;
    private readonly short[] _samples = new short[ChunkBytes / sizeof(short) + 1];
    private int _messageBytes;
    private bool _reportedOddMessage;

    public async Task<MediaEnd> RunAsync(CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(longestDataMessage);
        try
        {
            var filled = 0;
            while (true)
            {
                // An audio message never needs more than a chunk and one left-over byte; a text message is gathered whole.
                var result = await socket.ReceiveAsync(buffer.AsMemory(filled, Math.Min(ChunkBytes, longestDataMessage - filled)), cancellationToken);
                if (result.MessageType == WebSocketMessageType.Close) return MediaEnd.ClosedByClient;
                _messageBytes += result.Count;
                if (result.MessageType == WebSocketMessageType.Binary)
                {
                    if (_messageBytes > longestAudioMessage) return await RefuseAsync($"An audio message is at most {longestAudioMessage} bytes.", cancellationToken);
                    filled = TakeAudio(buffer, filled + result.Count, result.EndOfMessage);
                }
                else
                {
                    filled += result.Count;
                    if (filled >= longestDataMessage) return await RefuseAsync($"A data message is at most {longestDataMessage - 1} bytes.", cancellationToken);
                    if (!result.EndOfMessage) continue;
                    sink.OnData(buffer.AsSpan(0, filled));
                    filled = 0;
                }
                if (result.EndOfMessage) _messageBytes = 0;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Hands over whole samples; gives back how many bytes stay at the buffer's start for the next chunk.</summary>
    private int TakeAudio(byte[] buffer, int bytes, bool endOfMessage)
    {
        var samples = Pcm.FromBytes(buffer.AsSpan(0, bytes), _samples);
        if (samples > 0) sink.OnAudio(_samples.AsSpan(0, samples));
        if ((bytes & 1) == 0) return 0;
        if (!endOfMessage)
        {
            buffer[0] = buffer[bytes - 1];
            return 1;
        }
        if (!_reportedOddMessage) sink.OnNotice(new MediaNotice("invalid_audio", "An audio message had an odd number of bytes; the last one was ignored."));
        _reportedOddMessage = true;
        return 0;
    }

    private async Task<MediaEnd> RefuseAsync(string why, CancellationToken cancellationToken)
    {
        sink.OnNotice(new MediaNotice("message_too_big", why));
        await socket.CloseOutputAsync(WebSocketCloseStatus.MessageTooBig, why, cancellationToken);
        return MediaEnd.ProtocolError;
    }
}
