using System.Net.WebSockets;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.DataConnections;

/// <summary>Opens the WebSocket of a data connection.</summary>
internal interface IDataConnector
{
    /// <exception cref="DataConnectionException">Why there is none, in words.</exception>
    Task<WebSocket> ConnectAsync(DataConnectionConfig config, CancellationToken cancellationToken);
}

/// <summary>A data connection could not be opened. The message is for the customer and tells nothing of the inside network.</summary>
/// <param name="isFinal">Trying again is no use.</param>
internal sealed class DataConnectionException(string message, bool isFinal, Exception? inner = null) : Exception(message, inner)
{
    public bool IsFinal => isFinal;
}
