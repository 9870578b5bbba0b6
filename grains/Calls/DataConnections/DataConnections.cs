using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Media;

namespace VoiceGrains.Grains.Calls.DataConnections;

/// <summary>Makes the data connections of this silo's calls.</summary>
internal sealed class DataConnections(
    IDataConnector connector, Pacer pacer, IOptions<DataConnectionOptions> options, DataConnectionMetrics metrics, TimeProvider clock, ILogger<DataConnection> logger)
{
    /// <summary>The call's, not yet connecting; null when the call has none.</summary>
    /// <param name="userRateHz">Of the user's sound.</param>
    public DataConnection? Create(CallSettings call, int userRateHz, IDataConnectionListener listener)
    {
        if (call.DataConnection?.Deserialize<DataConnectionConfig>(WireJson.Options) is not { WebsocketUrl: { Length: > 0 } } config) return null;
        DataConnectionQueue? queue = null;
        var audio = config.AudioConfig is { } asked ? new DataConnectionAudio(asked, userRateHz, options.Value, pacer, clock, out queue) : null;
        queue ??= new DataConnectionQueue(options.Value.MessageQueueBytes);
        return new DataConnection(call.CallId, config, call.FirstStage.SharedSecrets, queue, audio, connector, options.Value, metrics, clock, listener, logger);
    }
}
