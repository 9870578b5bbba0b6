using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Transfers;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>A far end that is a telephone line: it sends digits beside the sound and transfers.</summary>
internal sealed class TelephonyFarEnd(FarEnd line) : IMediaPort, IDtmfPort, ITransferPort
{
    public List<(TimeSpan At, string Digits, TimeSpan Tone, TimeSpan Space)> Dtmf { get; } = [];
    public List<(TimeSpan At, object Transfer)> Transfers { get; } = [];
    /// <summary>Why transfers fail; null: they work.</summary>
    public string? Problem { get; set; }
    public bool SendsDtmf { get; set; } = true;
    public bool CanTransferWarm { get; set; } = true;

    public int InputSampleRateHz => line.InputSampleRateHz;
    public int OutputSampleRateHz => line.OutputSampleRateHz;
    public TimeSpan OutputBuffer => line.OutputBuffer;
    public bool CanClear => line.CanClear;

    public bool TrySendDtmf(string digits, TimeSpan tone, TimeSpan space)
    {
        if (SendsDtmf) Dtmf.Add((line.Now, digits, tone, space));
        return SendsDtmf;
    }

    public Task<string?> TransferAsync(ColdTransfer transfer, CancellationToken cancellationToken) => Transfer(transfer);

    public Task<string?> TransferAsync(WarmTransfer transfer, CancellationToken cancellationToken) => Transfer(transfer);

    public bool TrySendAudio(ReadOnlySpan<short> pcm) => line.TrySendAudio(pcm);
    public bool TrySendData(ReadOnlyMemory<byte> json) => line.TrySendData(json);
    public void ClearAudio() => line.ClearAudio();
    public Task<MediaEnd> RunAsync(IMediaSink sink, CancellationToken cancellationToken) => line.RunAsync(sink, cancellationToken);
    public Task CloseAsync(string reason, bool mayReturn, CancellationToken cancellationToken) => line.CloseAsync(reason, mayReturn, cancellationToken);
    public ValueTask DisposeAsync() => line.DisposeAsync();

    private Task<string?> Transfer(object transfer)
    {
        Transfers.Add((line.Now, transfer));
        return Task.FromResult(Problem);
    }
}
