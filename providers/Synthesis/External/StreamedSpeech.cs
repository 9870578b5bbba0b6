using System.Net;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>
/// One utterance over a WebSocket of its own: the connection is opened while the first sentence is still being written, text goes out as it comes, sound comes
/// in at the same time. A listener that is far behind slows the provider down by TCP. Leaving the enumeration, or cancelling, stops the provider at once.
/// </summary>
internal sealed class StreamedSpeech(SpeechProtocol protocol, ExternalProviderOptions options, ExternalVoiceServices services)
{
    private const int ChunksAhead = 128;   // messages of a tenth of a second and more
    private const string NoConnection = "Error initializing streaming TTS connection";
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(0.05);
    private static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(0.1);

    private readonly WordAligner _words = new();
    private volatile bool _owesNothing;
    private readonly Channel<SpeechChunk> _chunks = Channel.CreateBounded<SpeechChunk>(new BoundedChannelOptions(ChunksAhead) { SingleReader = true, SingleWriter = true });

    public async IAsyncEnumerable<SpeechChunk> SpeakAsync(IAsyncEnumerable<string> text, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = RunAsync(text, stop.Token);
        try
        {
            await foreach (var chunk in _chunks.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return chunk;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await running.ConfigureAwait(false);   // never faults: failures travel through the channel
        }
    }

    private async Task RunAsync(IAsyncEnumerable<string> text, CancellationToken stop)
    {
        var connecting = ConnectAsync(stop);
        try
        {
            await using var pieces = SpeakableAsync(text, stop).GetAsyncEnumerator(stop);
            if (await pieces.MoveNextAsync().ConfigureAwait(false))
                await SpeakAsync(await connecting.ConfigureAwait(false), pieces, stop).ConfigureAwait(false);
            _chunks.Writer.TryComplete();
        }
        catch (Exception exception)
        {
            _chunks.Writer.TryComplete(exception);
        }
        await ((Task)connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);   // without text, nobody minds one that failed
        if (connecting.IsCompletedSuccessfully) (await connecting.ConfigureAwait(false)).Dispose();
    }

    private async Task SpeakAsync(WebSocket socket, IAsyncEnumerator<string> pieces, CancellationToken stop)
    {
        using var leaving = new CancellationTokenSource();
        using var deadline = new SpeechDeadline(protocol.Provider, options, services.Clock, leaving.Token);
        var sending = SendAsync(socket, pieces, deadline, leaving.Token);
        var receiving = ReceiveAsync(socket, deadline, stop);
        var saidAll = false;
        try
        {
            if (await Task.WhenAny(sending, receiving).ConfigureAwait(false) == sending && !await sending.ConfigureAwait(false))
            {
                _owesNothing = true;
                await leaving.CancelAsync().ConfigureAwait(false);
            }
            await receiving.WaitAsync(stop).ConfigureAwait(false);
            saidAll = true;
            _chunks.Writer.TryComplete();
        }
        catch (Exception exception)
        {
            _chunks.Writer.TryComplete(exception);   // at once: the goodbye need not be waited for
        }
        // Whoever listens stops the text by now. A message on its way is sent to its end: cancelling it would break the connection.
        await ((Task)sending.WaitAsync(GoodbyeTimeout, services.Clock)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await LeaveAsync(socket, saidAll).ConfigureAwait(false);
        await receiving.WaitAsync(FarewellTimeout, services.Clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await leaving.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(sending, receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<WebSocket> ConnectAsync(CancellationToken stop)
    {
        using var timeout = new PhaseTimeout(protocol.Provider, options.ConnectTimeout * 2, services.Clock, stop);
        timeout.Arm("connection", options.ConnectTimeout);
        try
        {
            var socket = await UpgradeAsync(timeout.Token).ConfigureAwait(false);
            await BeginAsync(socket, timeout.Token).ConfigureAwait(false);
            return socket;
        }
        catch (OperationCanceledException exception)
        {
            var translated = timeout.Translate(exception);
            throw translated is ProviderException late ? protocol.Failure(late.Fault, $"{NoConnection}: {late.Message}", exception) : translated;
        }
        catch (WebSocketRefusedException exception)
        {
            var (status, words) = ((int)exception.Status, protocol.Words(exception.Body));
            throw new ProviderException(
                protocol.Provider, ProviderErrors.FaultOf(status), $"{NoConnection}: {status} {exception.Status}{(words.Length > 0 ? ": " : "")}{words}", exception)
            { Status = status, RetryAfter = exception.RetryAfter };
        }
        catch (Exception exception) when (exception is HttpRequestException or WebSocketException or IOException)
        {
            throw protocol.Failure(ProviderFault.Unreachable, $"{NoConnection}: {exception.Message}", exception);
        }
    }

    /// <summary>Connects, a second time where a moment may help: nothing has been said yet.</summary>
    private async Task<WebSocket> UpgradeAsync(CancellationToken cancellationToken)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            try
            {
                return await ProviderWebSocket.ConnectAsync(services.Http.OperatorClient, protocol.Url, protocol.Header, services.Clock, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (isFirst && exception is (HttpRequestException or IOException or WebSocketRefusedException { Status: >= HttpStatusCode.InternalServerError }))
            {
                await Task.Delay(RetryDelay, services.Clock, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task BeginAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var message in protocol.Begin())
                await socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The pieces that have words in them; what has none goes with the next one.</summary>
    private async IAsyncEnumerable<string> SpeakableAsync(IAsyncEnumerable<string> text, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var waiting = "";
        await foreach (var piece in text.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            _words.AppendText(piece);
            waiting += piece;
            if (!new TextPiece(piece, 0).HasWords) continue;
            yield return waiting;
            waiting = "";
        }
    }

    /// <summary>Sends all text. False when the provider owes nothing more after it.</summary>
    private async Task<bool> SendAsync(WebSocket socket, IAsyncEnumerator<string> pieces, SpeechDeadline deadline, CancellationToken cancellationToken)
    {
        do
        {
            deadline.TextSent();
            await SendAllAsync(socket, protocol.Say(pieces.Current), cancellationToken).ConfigureAwait(false);
        }
        while (await pieces.MoveNextAsync().ConfigureAwait(false));
        if (protocol.End() is not { } end) return false;
        deadline.TextEnded();
        await SendAllAsync(socket, end, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private static async Task SendAllAsync(WebSocket socket, IEnumerable<byte[]> messages, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var message in messages)
                await socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is WebSocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The provider is gone: the receiver knows why.
        }
    }

    private async Task ReceiveAsync(WebSocket socket, SpeechDeadline deadline, CancellationToken stop)
    {
        using var message = new MessageBuffer(options.MaxMessageBytes);
        try
        {
            await PassOnAsync(socket, message, deadline, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Nobody listens any more. What still comes is read: closing with it unread would reset the connection and might outrun our goodbye.
            while (await ReadMessageAsync(socket, message, deadline).ConfigureAwait(false) is not null) { }
        }
    }

    private async Task PassOnAsync(WebSocket socket, MessageBuffer message, SpeechDeadline deadline, CancellationToken stop)
    {
        var sound = new SpokenSound(protocol.SampleRateHz, _words);
        while (true)
        {
            var isText = await ReadMessageAsync(socket, message, deadline).ConfigureAwait(false);
            stop.ThrowIfCancellationRequested();
            if (isText is not { } known || Read(known, message, sound)) break;
            if (sound.Take() is { } chunk)
            {
                if (!chunk.Pcm.IsEmpty) deadline.SoundCame();
                await _chunks.Writer.WriteAsync(chunk, stop).ConfigureAwait(false);
            }
            deadline.Wait();
        }
        var last = sound.Finish();
        if (sound.Samples == 0) throw protocol.Failure(ProviderFault.BadAnswer, $"{protocol.Provider} sent no sound.");
        await _chunks.Writer.WriteAsync(last, stop).ConfigureAwait(false);
    }

    private bool Read(bool isText, MessageBuffer message, SpokenSound sound)
    {
        try
        {
            return protocol.Read(isText, message.Written, sound);
        }
        catch (Exception exception) when (exception is InvalidDataException or JsonException)
        {
            var why = exception is JsonException ? "it is no JSON" : exception.Message;
            throw protocol.Failure(ProviderFault.BadAnswer, $"{protocol.Provider} sent a message that cannot be read: {why}.", exception);
        }
    }

    /// <summary>Reads one whole message; null when none will come, since the provider has said all.</summary>
    private async Task<bool?> ReadMessageAsync(WebSocket socket, MessageBuffer message, SpeechDeadline deadline)
    {
        try
        {
            message.Clear();
            while (true)
            {
                var part = await socket.ReceiveAsync(message.Room(), deadline.Token).ConfigureAwait(false);
                if (part.MessageType == WebSocketMessageType.Close) return IsEnd(socket) ? null : throw Closed(socket);
                message.Advance(part.Count);
                if (part.EndOfMessage) return part.MessageType == WebSocketMessageType.Text;
                if (message.IsFull) throw protocol.Failure(ProviderFault.BadAnswer, $"{protocol.Provider} sent a message of more than {options.MaxMessageBytes} bytes.");
            }
        }
        catch (OperationCanceledException exception)
        {
            return _owesNothing ? null : throw deadline.Translate(exception);
        }
        catch (Exception exception) when (exception is WebSocketException or IOException or InvalidOperationException)
        {
            throw protocol.Failure(ProviderFault.BrokeOff, $"{protocol.Provider} broke off its answer: {exception.Message}", exception);
        }
    }

    private bool IsEnd(WebSocket socket) => protocol.EndsByClosing && socket.CloseStatus is WebSocketCloseStatus.NormalClosure or WebSocketCloseStatus.Empty or null;

    /// <summary>A close before the end. Its reason, where there is one, is the provider's word on what went wrong.</summary>
    private ProviderException Closed(WebSocket socket)
    {
        var fault = socket.CloseStatus switch
        {
            WebSocketCloseStatus.PolicyViolation or WebSocketCloseStatus.InvalidPayloadData or WebSocketCloseStatus.InvalidMessageType
                or WebSocketCloseStatus.MessageTooBig or WebSocketCloseStatus.ProtocolError => ProviderFault.Rejected,
            WebSocketCloseStatus.InternalServerError or (WebSocketCloseStatus)1012 or (WebSocketCloseStatus)1013 => ProviderFault.ServerError,
            _ => ProviderFault.BrokeOff,
        };
        return protocol.Failure(fault, socket.CloseStatusDescription is { Length: > 0 } reason
            ? reason
            : $"{protocol.Provider} closed the connection before the end ({(int?)socket.CloseStatus ?? 1005}).");
    }

    /// <summary>Tells the provider that nobody listens any more, as far as it takes no time.</summary>
    private async Task LeaveAsync(WebSocket socket, bool saidAll)
    {
        if (socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived)) return;
        using var patience = new CancellationTokenSource(GoodbyeTimeout, services.Clock);
        try
        {
            if (!saidAll) await SendAllAsync(socket, protocol.Cancel(), patience.Token).ConfigureAwait(false);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // It is dropped next.
        }
    }
}
