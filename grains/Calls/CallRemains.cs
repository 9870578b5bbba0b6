using System.Buffers.Binary;
using Npgsql;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Grains.Calls;

/// <summary>Tells from what a call left how long it lived, when the silo that ran it did not live to say so.</summary>
internal sealed class CallRemains(NpgsqlDataSource database, IBlobStore blobs)
{
    private const int WaveHeader = 44;
    private const int ByteRateOffset = 28;

    /// <summary>From the join to the last thing known of the call: an event, a message or recorded sound. Zero when nothing is.</summary>
    public async Task<TimeSpan> LifetimeAsync(CallState call, CancellationToken cancellationToken)
    {
        const string last = """
            select greatest(
                (select max((document->>'wallClockTimestamp')::interval) from call_events where call_id = $1),
                (select max((document->'wallClockTimespan'->>'end')::interval) from call_messages where call_id = $1 and not initial),
                interval '0')
            """;
        var callId = call.Settings!.CallId;
        await using var command = database.CreateCommand(last);
        command.Parameters.Add(new() { Value = callId });
        var said = (TimeSpan)(await command.ExecuteScalarAsync(cancellationToken))!;
        var recorded = call.RecordingParts is [.., var part] ? part.Start + RecordedTime(callId, part.Generation) : TimeSpan.Zero;
        return said > recorded ? said : recorded;
    }

    private TimeSpan RecordedTime(string callId, int generation)
    {
        using var recording = blobs.OpenRead(CallBlobs.Recording(callId, generation));
        if (recording is null || recording.Length <= WaveHeader) return TimeSpan.Zero;
        Span<byte> header = stackalloc byte[WaveHeader];
        recording.ReadExactly(header);
        var bytesPerSecond = BinaryPrimitives.ReadUInt32LittleEndian(header[ByteRateOffset..]);
        return bytesPerSecond == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((double)(recording.Length - WaveHeader) / bytesPerSecond);
    }
}
