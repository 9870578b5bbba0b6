using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Media;
using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Tests.Peer;

/// <summary>A peer connection that sends a tone all the time, sends data messages back, and keeps count of what arrives.</summary>
internal sealed class EchoPeer : IPeerSink, IAsyncDisposable
{
    private readonly MediaEndpoint _endpoint;
    private readonly DtlsCertificate _certificate = DtlsCertificate.Create();
    private readonly CancellationTokenSource _stop = new();
    private readonly OpusDecoder _decoder = new(48_000);
    private readonly short[] _pcm = new short[5_760];
    private readonly Task _tone;
    private int _packets;
    private int _levels;
    private volatile int _peak;

    public EchoPeer(PeerConnectionOptions? options = null)
    {
        _endpoint = MediaEndpoint.Start(new MediaEndpointOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        options = (options ?? DefaultOptions) with { Endpoint = _endpoint, Certificate = _certificate };
        Connection = new PeerConnection(options, this, TimeProvider.System, NullLogger.Instance);
        _tone = SendToneAsync();
    }

    public static PeerConnectionOptions DefaultOptions => new() { Endpoint = null!, Certificate = null!, AgentStreamId = "PA_agent|TR_agent", AgentTrackId = "TR_agent" };

    public PeerConnection Connection { get; }
    public ConcurrentQueue<PeerState> States { get; } = new();
    public ConcurrentQueue<RemoteTrack> Tracks { get; } = new();

    /// <summary>Packets of the microphone.</summary>
    public int Packets => Volatile.Read(ref _packets);

    /// <summary>Those of <see cref="Packets"/> that carried an audio level.</summary>
    public int Levels => Volatile.Read(ref _levels);

    /// <summary>Loudest sample of the microphone since the last reading.</summary>
    public int TakePeak() => Interlocked.Exchange(ref _peak, 0);

    public void OnStateChanged(PeerState state) => States.Enqueue(state);

    public void OnAudio(RemoteTrack track, ushort sequence, uint timestamp, ReadOnlySpan<byte> opus, byte? audioLevel)
    {
        if (!Tracks.Contains(track))
            Tracks.Enqueue(track);
        OnAudio(sequence, timestamp, opus, audioLevel);
    }

    public void OnAudio(ushort sequence, uint timestamp, ReadOnlySpan<byte> opus, byte? audioLevel)
    {
        Interlocked.Increment(ref _packets);
        if (audioLevel is not null)
            Interlocked.Increment(ref _levels);
        var samples = _decoder.Decode(opus, _pcm);
        for (var i = 0; i < samples; i++)
            _peak = Math.Max(_peak, Math.Abs((int)_pcm[i]));
    }

    public void OnData(string label, ReadOnlySpan<byte> message) => Connection.TrySendData(label, message);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _tone;
        await Connection.DisposeAsync();
        await _endpoint.DisposeAsync();
        _certificate.Dispose();
        _decoder.Dispose();
        _stop.Dispose();
    }

    /// <summary>440 Hz, a packet each 20 ms of real time.</summary>
    private async Task SendToneAsync()
    {
        using var encoder = new OpusEncoder(new OpusEncoderOptions());
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var pcm = new short[encoder.FrameSamples];
        var packet = new byte[OpusEncoder.MaxPacketBytes];
        var sample = 0;
        try
        {
            for (uint timestamp = 0; ; timestamp += (uint)pcm.Length)
            {
                for (var i = 0; i < pcm.Length; i++, sample++)
                    pcm[i] = (short)(8_000 * Math.Sin(2 * Math.PI * 440 * sample / 48_000));
                Connection.TrySendAudio(packet.AsSpan(0, encoder.Encode(pcm, packet)), timestamp, marker: timestamp == 0);
                await timer.WaitForNextTickAsync(_stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // the end
        }
    }
}
