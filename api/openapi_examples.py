"""A request body to copy for every operation that takes one, by operation id."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_EXAMPLE_FLOWS = Path(__file__).resolve().parents[1] / "examples" / "flows"

FLOW: dict[str, Any] = {
    "format": 1,
    "start": "welcome",
    "variables": {"name": {"default": "there"}},
    "nodes": {
        "welcome": {
            "type": "message",
            "message": {
                "type": "template",
                "name": "spring_sale",
                "language": "en",
                "category": "marketing",
                "body": ["{{name}}"],
                "preview": "Hello {{1}}, our spring sale has begun.",
            },
            "buttons": [{"id": "more", "label": "Tell me more", "next": "details"}],
            "next": "wait",
        },
        "details": {"type": "message", "message": {"type": "text", "body": "20% off, {{name}}."}},
        "wait": {"type": "delay", "duration": "PT20H", "condition": "no_click", "next": "nudge"},
        "nudge": {
            "type": "message",
            "message": {
                "type": "template",
                "name": "spring_nudge",
                "language": "en",
                "category": "marketing",
                "preview": "The spring sale ends tomorrow.",
            },
        },
    },
}

REQUEST_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "CampaignService_SendCampaigns": {
        "Two customers": {
            "entries": [
                {
                    "client": "+16045552331",
                    "campaignName": "spring_sale",
                    "variables": {"name": "Ana"},
                },
                {"client": "+16045552332", "campaignName": "spring_sale"},
            ]
        },
        "A new sendout, to everybody again": {
            "entries": [{"client": "+16045552331", "campaignName": "spring_sale"}],
            "options": {
                "ifVersionUnspecified": "create_new",
                "ifDuplicateCheckUnspecified": "allow_multiple",
            },
        },
        "What would happen": {
            "entries": [{"client": "+16045552331", "campaignName": "spring_sale"}],
            "options": {"dryRun": True, "includeEntries": "all"},
        },
    },
    "sendTemplatedMessage": {
        "A template with two parameters": {
            "number": "+16045552331",
            "templateName": "order_shipped",
            "language": "en_US",
            "parameters": [
                {"name": "header_image", "value": "https://cdn.example.com/parcel.jpg"},
                {"name": "body_1", "value": "Ana"},
                {"name": "body_2", "value": "tomorrow"},
            ],
            "campaignName": "shipping",
            "callbackData": {"order": 4711},
        }
    },
    "sendSessionMessage": {
        "A text": {
            "recipient": {"id": "+16045552331", "channelType": "whatsapp"},
            "message": {"text": "Your parcel is on its way."},
        },
        "A document": {
            "recipient": {"id": "+16045552331"},
            "message": {
                "attachments": [
                    {
                        "type": "document",
                        "url": "https://cdn.example.com/invoice.pdf",
                        "caption": "Your invoice",
                        "filename": "invoice.pdf",
                    }
                ]
            },
        },
        "Reply buttons": {
            "recipient": {"id": "+16045552331"},
            "message": {
                "text": "Shall we deliver tomorrow?",
                "replyButtonMessage": {
                    "buttons": [{"id": "yes", "text": "Yes"}, {"id": "no", "text": "Later"}]
                },
            },
        },
        "A list": {
            "recipient": {"id": "+16045552331"},
            "message": {
                "text": "When shall we deliver?",
                "listMessage": {
                    "button": {"text": "Choose"},
                    "sections": [
                        {
                            "title": "Tomorrow",
                            "rows": [{"id": "am", "text": "Morning", "description": "8 to 12"}],
                        }
                    ],
                },
            },
        },
    },
    "createTemplate": {
        "With a variable": {
            "name": "order_shipped",
            "language": {"code": "en_US"},
            "category": "MESSAGE_TEMPLATE_GROUP_CATEGORY_UTILITY",
            "templateComponents": [
                {"body": {"text": {"text": "Hello {{1}}, it is on its way.", "example": ["Ana"]}}},
                {"footer": {"text": {"text": "Example shop"}}},
            ],
        }
    },
    "createCampaign": {"With a first draft": {"name": "spring", "flow": FLOW}},
    "renameCampaign": {"Another name": {"name": "spring_sale_2026"}},
    "saveDraft": {"The next revision": {"flow": FLOW, "revision": 1}},
    "publishCampaign": {
        "With a label": {"campaignVersion": "2026-05"},
        "With a version of its own": {},
    },
    "unpublishCampaign": {"Runs in flight end as well": {"cancel": True}},
    "tryDraft": {
        "Without the long waits": {
            "client": "+16045552331",
            "variables": {"name": "Ana"},
            "maxDelay": "PT10S",
        }
    },
    "simulateFlow": {
        "A customer who taps after two hours": {
            "variables": {"name": "Ana"},
            "steps": [{"wait": "PT2H"}, {"click": {"node": "welcome", "button": "more"}}],
        },
        "A customer who only writes": {
            "steps": [{"reply": "Is it still on?"}, {"wait": "PT20H"}],
        },
    },
    "changeSendout": {"A nudge with a mistake": {"label": "Spring", "skipNodes": ["nudge"]}},
    "addOptOuts": {
        "Numbers": ["+16045552331", "+16045552332"],
        "Told at the counter": [{"client": "+16045552331", "source": "shop"}],
    },
    "putOptOut": {"Told on the phone": {"source": "hotline"}},
    "addChannel": {
        "The default channel": {
            "phoneNumber": "+15550001111",
            "phoneNumberId": "106540352242922",
            "wabaId": "102290129340398",
            "accessToken": "EAAJB",
            "appSecret": "a-long-secret",
            "default": True,
        }
    },
    "changeChannel": {"A new token": {"accessToken": "EAAJC"}},
    "holdChannel": {"The emergency stop": {"message": "Wrong prices in the nudge"}},
    "holdTemplate": {"A mistake in the text": {"message": "Wrong price, corrected on Monday"}},
    "createWebhook": {
        "Statuses of the spring campaigns": {
            "topic": "delivery_status",
            "address": "https://example.com/webhooks/whatsapp",
            "configuration": {"filters": [{"field": "campaign_name", "expression": "spring-*"}]},
        },
        "What customers write, and what is sent to them": {
            "topic": "messages",
            "address": "https://example.com/webhooks/whatsapp",
            "configuration": {"echo": True, "channelTypes": ["whatsapp"]},
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        },
    },
    "updateWebhook": {
        "Another address": {"address": "https://example.com/webhooks/new"},
        "A new secret": {"rotateSecret": True},
    },
    "retryDeliveries": {"All of them": {}, "Two of them": {"eventIds": [41, 42]}},
    "receiveEvents": {
        "A delivered message": {
            "object": "whatsapp_business_account",
            "entry": [
                {
                    "id": "102290129340398",
                    "changes": [
                        {
                            "field": "messages",
                            "value": {
                                "messaging_product": "whatsapp",
                                "metadata": {
                                    "display_phone_number": "15550001111",
                                    "phone_number_id": "106540352242922",
                                },
                                "statuses": [
                                    {
                                        "id": "wamid.HBgL",
                                        "status": "delivered",
                                        "timestamp": "1777888800",
                                        "recipient_id": "16045552331",
                                    }
                                ],
                            },
                        }
                    ],
                }
            ],
        }
    },
}


def example_flows() -> dict[str, Any]:
    """The flow documents of `examples/flows`, by name."""
    paths = sorted(_EXAMPLE_FLOWS.glob("*.json"))
    return {path.stem: json.loads(path.read_bytes()) for path in paths}


def request_examples(operation_id: str) -> dict[str, Any]:
    """The bodies to copy for an operation, by what they show."""
    examples = dict(REQUEST_EXAMPLES[operation_id])
    if operation_id == "createCampaign":
        examples |= {
            f"The example {name}": {"name": name, "flow": flow}
            for name, flow in example_flows().items()
        }
    return examples
